Feature: What the panel says

  Scenario Outline: A failure says in one sentence why, leads to the run, and is closed
    Given the stack runs as local processes
      And I have the config page open <how>
    When I change "risk.max_order_usd" to "5001" and save
    Then the alert begins with "Failed to apply configuration: python-orchestrator refused the config"
      And nowhere on the page stands a time in UTC
      And the alert takes less than a quarter of the screen
    When I follow "See the run"
    Then the run is in sight
    When I press "Close"
    Then no toast is shown, not even when the stream begins anew

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: A good word covers nothing that is typed into, and goes by itself
    Given the stack runs as local processes
      And I have the config page open on a wide screen
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied"
      And the toast covers no field
      And the toast goes by itself

  Scenario: Somebody else's run says whose it was, and leaves alone what I type
    Given the stack runs as local processes
      And I have the config page open on a wide screen
    When I type "7" into "risk.max_open_positions"
      And a script changes "risk.max_position_usd" to 6000
    Then the toast says "Configuration applied"
      And the toast says "by 127.0.0.1, not from this tab"
      And the field "risk.max_open_positions" still holds "7"

  Scenario: The question about a dangerous change says why, and its answer has the focus
    Given the stack runs as local processes
      And I have the config page open on a phone
    When I change "risk.max_position_usd" to "2000" and save
    Then the page asks because "Largest position is more than halved"
      And the focus is on "Yes, apply this"
    When I press the Enter key
    Then the toast says "Configuration applied"

  Scenario: All times are told in the zone of the schedule
    Given the stack runs as local processes
      And my own clock is in Tokyo
    When I type "7" into "risk.max_open_positions"
      And the browser has kept "max_open_positions"
      And the browser crashes and is opened again
    Then I am told of 1 unsaved change, at the time in New York
      And the page names "America/New_York" as the zone of its times
    When a change is queued for the next close
      And I open the history
    Then the timeline shows "Apply later" with "EST" or "EDT"

  Scenario: A run that went well takes little room until it is opened
    Given the stack runs as local processes
      And I have the config page open on a wide screen
    When I change "risk.max_position_usd" to "6000" and save
    Then the toast says "Configuration applied"
      And the run shows all its steps in less than 160 pixels
    When I open the run
    Then the run shows its figures

  Scenario: In a low window the banner scrolls away
    Given the stack runs as local processes
      And I have the config page open on a wide screen
    When the window is 640 by 450
      And I scroll down
    Then the banner is out of sight, and the action bar is not

  Scenario: A config file that is gone is put back
    Given the stack runs as local processes
      And the panel has seen the config file
    When somebody deletes config.toml
      And I have the config page open on a phone
      And I follow "Put it back as it was last seen…"
      And I press "Put it back"
    Then the page says that "The config file was gone, and is back"
      And config.toml is as it was
