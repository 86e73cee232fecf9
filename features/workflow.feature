Feature: Pause/Edit/Unpause Workflow
  Scenario: Safely apply new settings
    Given containers are running
    When I click “Save & Restart”
    Then PauseStack is called
      And config.toml is backed up and updated
      And UnpauseStack is called
      And services log “Config reloaded”

  Scenario: An invalid value pauses nothing and points at its field
    Given containers are running
      And the config page is open
    When I type "-5" into "risk.max_position_usd"
      And I type "a note to keep" into "broker.account"
      And I press Save & Restart
    Then the field "risk.max_position_usd" says what is wrong with it
      And the field "broker.account" still holds "a note to keep"
      And nothing was paused and config.toml is as it was

  Scenario: An unchanged form pauses nothing
    Given containers are running
      And the config page is open
    When I press Save & Restart without a change
    Then the page says that there is nothing to apply
      And nothing was paused and config.toml is as it was

  Scenario: A container that somebody else had paused stays paused
    Given containers are running
      And somebody has paused "go-scanner"
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied, but not by go-scanner"
      And "go-scanner" is still paused, and was never unpaused
      And "python-orchestrator" runs

  Scenario Outline: A service that was left out loads the config later, at the press of a button
    Given containers are running
      And somebody has paused "python-orchestrator"
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied, but not by python-orchestrator"
    When somebody unpauses "python-orchestrator"
      And the overview is open <how>
    Then the overview says "python-orchestrator loaded another config than the file’s."
      And nothing is wider than the screen
    When I press "Reload services"
    Then the services section says no more "loaded another config"
      And the run ends as "applied"
      And "python-orchestrator" logs that it loaded the file, and was not paused for it

    Examples:
      | how                |
      | with JavaScript    |
      | without JavaScript |
      | on a phone         |

  Scenario: A config edited by hand is loaded at the press of a button
    Given containers are running
      And the overview is open with JavaScript
    When somebody edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
    Then the overview says "python-orchestrator loaded another config than the file’s."
    When I press "Reload services"
    Then the toast says "Configuration reloaded"
      And "python-orchestrator" logs that it loaded the file, and was not paused for it

  Scenario: The file edited on disk meanwhile is a conflict
    Given containers are running
      And the config page is open
      And somebody edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
    When I type "6000" into "risk.max_position_usd"
      And I press Save & Restart
    Then the page says that the file was changed meanwhile
      And the field "risk.max_position_usd" still holds "6000"
      And nothing was paused and config.toml is as somebody left it

  Scenario: Closing the tab in the middle changes nothing
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and close the tab at once
    Then the run ends as "applied"
      And the overview shows the run with all its steps
      And every service runs

  Scenario: A second tab during a run shows the same run from its first step
    Given containers are running
      And the orchestrator is too busy to answer
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and save
      And I open a second tab
    Then both tabs wait at "ConfirmReload" and show what went before
    When the orchestrator has time again
    Then both tabs show "Configuration applied"

  Scenario: A service that rejects the new config is rolled back
    Given containers are running
      And the config page is open
    When I change "risk.max_order_usd" to "5001" and save
    Then the toast says "Failed to apply configuration"
      And the page says that "python-orchestrator" refused it, and what it logged
      And the run ends as "rolled_back"
      And config.toml is as it was
      And every service runs

  Scenario: Without JavaScript
    Given containers are running
      And the config page is open without JavaScript
    When I change "risk.max_position_usd" to "6000" and save
    Then the run ends as "applied"
      And the toast says "Configuration applied"

  Scenario: On a phone
    Given containers are running
      And the config page is open on a phone
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied"
      And nothing is wider than the screen

  Scenario Outline: A signalled container still restarts after a crash
    Given containers are running with the restart policy "<policy>"
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied"
    When the orchestrator crashes
    Then the engine has started it again

    Examples:
      | policy         |
      | always         |
      | unless-stopped |
