Feature: History

  Scenario: The timeline tells what happened, who did it and what changed
    Given the stack runs as local processes
      And the config page is open
    When I change "risk.max_position_usd" to "8000" and save
    Then the toast says "Configuration applied"
    When I change "risk.max_order_usd" to "8001" and save
    Then the toast says "Failed to apply configuration"
    When I open the history
      And somebody else edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
    Then the timeline shows "Edited outside Pitstop" with "risk.max_open_positions"
    When trading is halted because of "a broken feed"
    Then the timeline shows, newest first:
      | Trading halted         | a broken feed           |
      | Edited outside Pitstop | risk.max_open_positions |
      | Save & Restart         | what was tried          |
      | Save & Restart         | applied                 |

  Scenario: Two versions are compared, in words and line by line, on a phone
    Given the stack runs as local processes
      And "risk.max_position_usd" was saved as "8000"
      And "broker.api_key" was saved as "a-secret-for-nobody"
    When I open the history on a phone
      And I compare the oldest backup with the file now
    Then the change of "risk.max_position_usd" reads "5 000 → 8 000 USD"
      And the change of "broker.api_key" reads "changed, secret"
      And the lines show "= 5000" removed and "= 8000" added
      And the page does not hold "a-secret-for-nobody"
      And nothing is wider than the screen

  Scenario Outline: A backup is restored byte by byte, after a look at what will change
    Given the stack runs as local processes
      And "risk.max_position_usd" was saved as "8000"
    When I open the history <how>
      And I choose to restore the newest backup
    Then the change of "risk.max_position_usd" reads "8 000 → 5 000 USD"
      And nothing is wider than the screen
    When I press "Restore & Restart"
    Then the toast says "Configuration applied"
      And config.toml is as it was
      And every service has confirmed the restore

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario: The file changed while one looked at a backup
    Given the stack runs as local processes
      And "risk.max_position_usd" was saved as "8000"
    When I open the history
      And I choose to restore the newest backup
      And somebody else edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
      And I press "Restore & Restart"
    Then the page says that the file was changed meanwhile
      And the change of "risk.max_open_positions" reads "7 → 5"
      And the config file is as somebody left it

  Scenario Outline: What Pitstop wrote and somebody overwrote is restored, after a restart too
    Given the stack runs as local processes
      And "risk.max_position_usd" was saved as "8000"
      And somebody else edits "max_position_usd = 8000" to "max_position_usd = 1234" in config.toml
      And the panel is started anew
      And somebody else edits "max_position_usd = 1234" to "max_position_usd = 4321" in config.toml
    When I open the history <how>
    Then the timeline shows, newest first:
      | Edited outside Pitstop | risk.max_position_usd |
      | Edited outside Pitstop | risk.max_position_usd |
      | Save & Restart         | applied               |
    When I choose to restore what the first edit from outside overwrote
    Then the change of "risk.max_position_usd" reads "4 321 → 8 000 USD"
      And nothing is wider than the screen
    When I press "Restore & Restart"
    Then the toast says "Configuration applied"
      And every service has confirmed the restore

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: Edits that were made while the panel was away are told key by key, and compared
    Given the stack runs as local processes
      And the panel is away
      And somebody else edits "max_open_positions = 5" to "max_open_positions = 7" in config.toml
      And the panel is back
    When I open the history
    Then the timeline shows "Edited outside Pitstop" with "risk.max_open_positions"
    When I compare what the first edit from outside overwrote with the file now
    Then the change of "risk.max_open_positions" reads "5 → 7"
      And the lines show "= 5" removed and "= 7" added

  Scenario: The oldest backups go, the newest stay
    Given the stack runs as local processes
      And the panel keeps 2 backups
      And "risk.max_position_usd" was saved as "6000"
      And "risk.max_position_usd" was saved as "7000"
      And "risk.max_position_usd" was saved as "8000"
    When I open the history
    Then 2 backups are offered, and 2 are there
      And the page says that "The newest 2 backups are kept"
    When I choose to restore the newest backup
    Then the change of "risk.max_position_usd" reads "8 000 → 7 000 USD"

  Scenario: A note is added afterwards, and changed
    Given the stack runs as local processes
      And "risk.max_position_usd" was saved as "8000"
    When I open the history
      And I note "wider before the call" on the newest run
      And I open the history
    Then the timeline shows "Save & Restart" with "wider before the call"
    When I note "back to 5 000 after it" on the newest run
      And I open the history on a phone
    Then the timeline shows "Save & Restart" with "back to 5 000 after it"
      And the page does not hold "wider before the call"

  Scenario: A backup is downloaded without its secrets
    Given the stack runs as local processes
      And "broker.api_key" was saved as "a-secret-for-nobody"
      And "risk.max_position_usd" was saved as "8000"
    When I open the history
      And I download the newest backup
    Then its name says that it is masked
      And it is the config of before, but for the secret "a-secret-for-nobody"
