Feature: Apply later

  Scenario: A change queued for the next close shows on every page, and can be withdrawn
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
    Then the queued change is shown as "at the next close"
      And the queued change is shown with "5 000" and "6 000", and line by line
      And every page shows the queued change
      And nothing was paused and config.toml is as it was
    When I withdraw the queued change
    Then no page shows a queued change
      And nothing was paused and config.toml is as it was

  Scenario: The time of a queued change can be changed
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
      And I move the queued change to a time two hours ahead
    Then the queued change is shown with that time

  Scenario: A queued change that falls due is applied, and says how it went
    Given containers are running
    When a script queues "risk.max_position_usd" = 6000 for a few seconds ahead
      And I open the overview
    Then the page says by itself that the queued change was applied
      And the run ends as "applied"
      And config.toml holds 6000
      And the history tells who queued it
    When I dismiss what is told of the queued change
    Then no page shows a queued change

  Scenario: A queued change survives the panel
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
      And the panel is killed and started again
    Then every page shows the queued change
    When I apply the queued change now
    Then the run ends as "applied"
      And config.toml holds 6000

  Scenario: A second change takes the place of the first only when told to
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
      And I go on to the config page
      And I change "risk.max_position_usd" to "7000" and replace the queued change
    Then the queued change is shown with "5 000" and "7 000", and line by line

  Scenario: A queued change that clashes with the file is not applied
    Given containers are running
      And the config page is open
    When I change "risk.max_open_positions" to "6" and queue it for the next close
    Given somebody edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
    When I apply the queued change now
    Then the page says that somebody changed "risk.max_open_positions" too, and that I am to decide
      And nothing was paused and config.toml is as somebody left it
    When I go to decide
      And I choose "Keep yours"
      And I press Save & Restart
    Then the run ends as "applied"
      And config.toml holds "max_open_positions = 6"

  Scenario: What cannot be queued points at its field and keeps what was typed
    Given containers are running
      And the config page is open
    When I change "risk.max_position_usd" to "-5" and queue it for the next close
    Then the field "risk.max_position_usd" says what is wrong with it
      And the field "risk.max_position_usd" still holds "-5"
      And no page shows a queued change

  Scenario: On a phone
    Given containers are running
      And the config page is open on a phone
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
    Then the queued change is shown as "at the next close"
      And nothing is wider than the screen
    When I withdraw the queued change
    Then no page shows a queued change

  Scenario: Without JavaScript
    Given containers are running
      And the config page is open without JavaScript
    When I change "risk.max_position_usd" to "6000" and queue it for the next close
    Then every page shows the queued change
    When I apply the queued change now
    Then the run ends as "applied"
      And config.toml holds 6000
