Feature: Automated Trading Schedule
  Scenario: Auto-stop at end of day
    Given schedule.stop = "16:00"
    And trading_enabled = true
    When system time reaches 16:00
    Then trading_enabled is set to false

  Scenario: Auto-start next day
    Given schedule.start = "09:30"
    And trading_enabled = false
    When system time reaches 09:30
    Then trading_enabled is set to true

  # The same, of the real orchestrator alone: its container's clock is moved, no panel keeps the gate.

  Scenario: Auto-stop at end of day, by the orchestrator's own clock
    Given the orchestrator's container has a clock of its own
      And schedule.stop = "16:00"
      And trading_enabled = true
    When system time reaches 16:00
    Then trading_enabled is set to false

  Scenario: Auto-start next day, by the orchestrator's own clock
    Given the orchestrator's container has a clock of its own
      And schedule.start = "09:30"
      And trading_enabled = false
    When system time reaches 09:30
    Then trading_enabled is set to true

  # The same once more, by nobody's clock but the machine's.

  Scenario: Auto-stop in real time
    Given panel and orchestrator run, and trading closes within two minutes
      And the panel and the orchestrator say that trading is on
    When that minute comes
    Then the panel and the orchestrator say that trading is off
      And the panel kept the edge in time

  Scenario: The panel is killed over the closing bell
    Given panel and orchestrator run, and trading closes within two minutes
      And the panel and the orchestrator say that trading is on
      And the panel is killed
    When that minute comes
    Then the orchestrator closes by its own schedule
      And the panel, started again, says that trading is off

  Scenario: The orchestrator's scheduler thread is stopped
    Given panel and orchestrator run, and trading closes within two minutes
      And the panel and the orchestrator say that trading is on
      And the orchestrator's scheduler thread is stopped
    When that minute comes
    Then the panel and the orchestrator say that trading is off

  Scenario: Both restart in the middle of a window, and agree
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And both are killed
    When the panel is started again
    Then the orchestrator begins another life
      And the panel and the orchestrator say that trading is on

  Scenario: A clock set back an hour does not reopen
    Given schedule.stop = "16:00"
      And trading_enabled = true
    When system time reaches 16:00
      And the clock is set back an hour
    Then trading_enabled stays false
    When the panel starts anew
    Then trading_enabled stays false
    When system time reaches 09:30
    Then trading_enabled is set to true

  Scenario: A clock set back an hour does not reopen the orchestrator
    Given the orchestrator's container has a clock of its own
      And schedule.stop = "16:00"
      And trading_enabled = true
    When system time reaches 16:00
    Then trading_enabled is set to false
    When the clock is set back an hour
    Then trading_enabled stays false

  Scenario Outline: An exchange's days, and nights on which the clocks change
    Given trading from <start> to <stop> in <zone>, calendar <calendar>
    When system time reaches <UTC> in UTC
    Then trading is <is> until <until> in UTC

    Examples: Days without trading, and short ones
      | what                                   | start | stop  | zone             | calendar | UTC                 | is  | until               |
      | Saturday                               | 09:30 | 16:00 | America/New_York | XNYS     | 2026-11-28 17:00:00 | off | 2026-11-30 14:30:00 |
      | Saturday, by the session               | open  | close | America/New_York | XNYS     | 2026-11-28 17:00:00 | off | 2026-11-30 14:30:00 |
      | Thanksgiving                           | 09:30 | 16:00 | America/New_York | XNYS     | 2026-11-26 17:00:00 | off | 2026-11-27 14:30:00 |
      | Thanksgiving Friday, just before 13:00 | 09:30 | 16:00 | America/New_York | XNYS     | 2026-11-27 17:59:59 | on  | 2026-11-27 18:00:00 |
      | Thanksgiving Friday, 13:00             | 09:30 | 16:00 | America/New_York | XNYS     | 2026-11-27 18:00:00 | off | 2026-11-30 14:30:00 |
      | Thanksgiving Friday, ten minutes early | open  | close-10m | America/New_York | XNYS | 2026-11-27 17:50:00 | off | 2026-11-30 14:30:00 |

    Examples: The clocks change in New York
      | what                                    | start | stop  | zone             | calendar | UTC                 | is  | until               |
      | the hour that is skipped, before it     | 02:30 | 16:00 | America/New_York | none     | 2026-03-08 06:59:59 | off | 2026-03-08 07:00:00 |
      | the hour that is skipped, after it      | 02:30 | 16:00 | America/New_York | none     | 2026-03-08 07:00:00 | on  | 2026-03-08 20:00:00 |
      | the hour that comes twice, before it    | 01:30 | 16:00 | America/New_York | none     | 2026-11-01 05:29:59 | off | 2026-11-01 05:30:00 |
      | the hour that comes twice, its first    | 01:30 | 16:00 | America/New_York | none     | 2026-11-01 05:30:00 | on  | 2026-11-01 21:00:00 |
      | a stop in the hour that comes twice     | 00:30 | 01:30 | America/New_York | none     | 2026-11-01 06:30:00 | off | 2026-11-02 05:30:00 |
      | the short night, before its end         | 22:00 | 04:00 | America/New_York | none     | 2026-03-08 07:59:59 | on  | 2026-03-08 08:00:00 |
      | the short night, its end                | 22:00 | 04:00 | America/New_York | none     | 2026-03-08 08:00:00 | off | 2026-03-09 02:00:00 |
      | the long night, before its end          | 22:00 | 04:00 | America/New_York | none     | 2026-11-01 08:59:59 | on  | 2026-11-01 09:00:00 |
      | the long night, its end                 | 22:00 | 04:00 | America/New_York | none     | 2026-11-01 09:00:00 | off | 2026-11-02 03:00:00 |

    Examples: The clocks change by half an hour on Lord Howe Island
      | what                                    | start | stop  | zone                | calendar | UTC                 | is  | until               |
      | the half hour that is skipped, before   | 02:15 | 16:00 | Australia/Lord_Howe | none     | 2026-10-03 15:29:59 | off | 2026-10-03 15:30:00 |
      | the half hour that is skipped, after    | 02:15 | 16:00 | Australia/Lord_Howe | none     | 2026-10-03 15:30:00 | on  | 2026-10-04 05:00:00 |
      | the half hour that comes twice, before  | 01:45 | 16:00 | Australia/Lord_Howe | none     | 2026-04-04 14:44:59 | off | 2026-04-04 14:45:00 |
      | the half hour that comes twice, first   | 01:45 | 16:00 | Australia/Lord_Howe | none     | 2026-04-04 14:45:00 | on  | 2026-04-05 05:30:00 |

  Scenario: Halt trading from the page
    Given panel and orchestrator run in the middle of a window
      And the orchestrator has placed an order
      And the schedule page is open
    When I halt trading on the page because of "a strange fill"
    Then the page says "Trading halted" because of "a strange fill"
      And the page says that the halt is obeyed by python-orchestrator
      And the orchestrator refuses an order
      And an exit still goes through
    When the panel is killed
      And the panel is started again
      And the schedule page is open
    Then the page says "Trading halted" because of "a strange fill"
    When I resume the schedule on the page
    Then the panel and the orchestrator say that trading is on

  Scenario: A halt is in the file within 50 ms, and holds order entry within a second
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And the orchestrator has placed an order
    When trading is halted 5 times, and resumed after each
    Then one halt was in trading.json within 50 ms of its request
      And one halt was obeyed by the orchestrator within 1 s of its request
      And no order was placed between a halt that was obeyed and its end

  Scenario: A halt outlives the panel and its file
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
    When somebody halts trading meanwhile
    Then the panel and the orchestrator say that trading is off
    When the panel is killed
      And trading.json is removed
    Then the orchestrator says that it stays halted
    When the panel is started again
    Then the panel and the orchestrator say that trading is off

  Scenario: A halt that nobody obeys is seen
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And the orchestrator hangs
      And the schedule page is open
    When I halt trading on the page because of "a drill"
    Then the page says that the halt is not yet obeyed by python-orchestrator
      And the page warns that python-orchestrator still trades
    When the orchestrator goes on
    Then the page says that the halt is obeyed by python-orchestrator

  Scenario: A halt is not resumed by the same press, and the keyboard and the ear go on from it
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open
    When I halt trading with the keyboard, and press once more
    Then the page says "Trading halted"
      And the button that resumes took no click when it came
      And the keyboard is in the banner, at "Trading halted"
      And a screen reader is told "Trading halted"
      And the page says "Trading halted" because of "trading goes on at once, until 23:59"
    When I resume the schedule on the page
    Then the page says "Trading on"
      And the keyboard is in the banner, at "Halt trading"
      And a screen reader is told "Trading on"

  Scenario: A panel that has died is not taken for one that halted
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And the overview is open on a phone
    When the panel is killed
    Then the head of the page says that the connection is lost, and as of when it speaks
      And the head of the page is not green
    When I halt trading on the page because of "a strange fill"
    Then the page says in red "NOT confirmed as halted"
    When I write into trading.json what the page says
    Then the panel is gone, and the orchestrator halts all the same
    When the panel is started again where it was
    Then the page says "Trading halted"
      And nothing on the page says that it is not confirmed
      And the head of the page says nothing of a lost connection

  Scenario: A panel that hangs is noticed by its silence
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And the overview is open
    When the panel hangs
    Then the head of the page says that the connection is lost, and as of when it speaks
    When I halt trading on the page because of "a drill"
    Then the page says in red "NOT confirmed as halted"
    When the panel goes on
    Then the page says "Trading halted"
      And nothing on the page says that it is not confirmed
      And the head of the page says nothing of a lost connection

  Scenario: Trading is on, and nothing trades
    Given panel and orchestrator run in the middle of a window
      And the panel and the orchestrator say that trading is on
      And the overview is open
    Then the head of the page is green
    When the orchestrator hangs
    Then the page says "Trading on" because of "python-orchestrator is paused"
      And the head of the page is not green
    When the orchestrator goes on
    Then the head of the page is green

  Scenario: What comes next while trading goes by hand
    Given panel and orchestrator run in the middle of a window
      And the overview is open
    When I let trading go on for an hour, on the page
    Then the page says "Trading on, by hand" because of "then the schedule (open until 23:59)"
      And what comes next is "override ends"
    When I halt trading on the page because of "a drill"
    Then what comes next is "Does not open until resumed"

  Scenario: The banner without JavaScript
    Given panel and orchestrator run outside of a window
      And the schedule page is open without JavaScript
    When I let trading go on for an hour, on the page
    Then the page says "Trading on, by hand"
      And the panel and the orchestrator say that trading is on
    When I resume the schedule on the page
    Then the page says "Trading off"
    When somebody halts trading meanwhile
      And I let trading go on for an hour, on the page
    Then the page refuses, for trading is halted
      And the panel and the orchestrator say that trading is off

  Scenario: The coming windows are drawn as I type, and applied
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open
    When I type "15:45" as "schedule.stop" of the plan
    Then the drawing shows "15:45"
      And the drawing says "not applied yet"
      And schedule.stop in config.toml is as it was
    When I press Apply Schedule
    Then the toast says "Configuration applied"
      And schedule.stop in config.toml is "15:45", and nothing else has changed
      And the panel follows the schedule until 15:45

  Scenario: A plan that closes trading at once says so beside its button
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open
    When I type "00:02" as "schedule.stop" of the plan
    Then the drawing says "Applying this closes trading now"
      And beside Apply Schedule it says "Applying this closes trading now"
    When I press Apply Schedule
    Then the toast says "Configuration applied"
      And the page says "Trading off"
      And trading is off since a moment ago, not since 00:02

  Scenario: A schedule without a time zone is warned of where it is seen
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open
    When I type "" as "schedule.timezone" of the plan
    Then the drawing says "No time zone is set"
    When somebody takes the time zone out of config.toml
    Then the schedule page warns at its head that no time zone is set

  Scenario: A file that is no TOML is mended from the schedule page
    Given panel and orchestrator run in the middle of a window
    When somebody breaks config.toml
    Then the schedule page leads to the text of the file

  Scenario: Another way of writing, without JavaScript
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open without JavaScript
    When I choose "Cron" and press "Show these fields"
    Then the field "schedule.start" still holds "1 0 * * *"

  Scenario: The next open and close in the viewer's own zone
    Given panel and orchestrator run by the clocks of "America/New_York"
      And the schedule page is open in "Asia/Tokyo"
    Then the next open and close are shown by the clocks of "Asia/Tokyo" too
    When I type "15:45" as "schedule.stop" of the plan
    Then the drawing says "not applied yet"
      And the next open and close are shown by the clocks of "Asia/Tokyo" too
    When the schedule page is open in "America/New_York"
    Then the next open and close are shown once
    When the schedule page is open in "America/Detroit"
    Then the next open and close are shown once

  Scenario: The schedule without JavaScript, on a phone
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open on a phone without JavaScript
    When I type "15:45" as "schedule.stop" of the plan
      And I press Preview
    Then the drawing shows "15:45"
      And nothing is wider than the screen
    When I press Apply Schedule
    Then the toast says "Configuration applied"
      And schedule.stop in config.toml is "15:45", and nothing else has changed

  Scenario: A schedule that cannot be is refused at its field, and kept
    Given panel and orchestrator run in the middle of a window
      And the schedule page is open
    Then each of these is refused at its field, with all of it kept:
      | mode             | start      | stop       | zone              | field    | says              |
      | Fixed times      | 09:30      | 09:30      | America/New_York  | start    | both 09:30        |
      | Cron             | 0 9 * * *  | 25:00      | America/New_York  | stop     | not a time of day |
      | Cron             | 0 9 31 2 * | 0 16 * * * | America/New_York  | start    | never             |
      | Exchange session | open       | close-10h  | America/New_York  | stop     | never comes       |
      | Fixed times      | 09:30      | 16:00      | America/New_Yrok  | timezone | did you mean      |
    When somebody writes an unknown calendar into config.toml
    Then the schedule page says at its field that the calendar is unknown
