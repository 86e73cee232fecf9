Feature: A form from any schema

  Background:
    Given a market maker with a setting of every kind

  Scenario: Settings stand in the order and the groups of the schema, with their units
    Given the config page is open
    Then the form shows, in this order:
      | General | Orders, Account                                                 |
      | Engine  | Protocol, Log level, Post only, Hedge, Retries, Build, Old port |
      | Risk    | Largest order, Stop                                             |
      | Session | Opens, Licence until, Since, Heartbeat, Timeout, Feed, Days     |
      | Venue   | Kind, Host                                                      |
      | Quotes  | Size, Kind, Symbols                                             |
      | Fees    | BTC-USD, ETH-USD                                                |
      And "engine.max_usd" is counted in "USD"
      And "engine.protocol" can only be "2"
      And nothing counts as changed

  Scenario Outline: A word of several, a switch, a number with a unit
    Given the config page is open <how>
    When I choose "warn" for "engine.log"
      And I choose "yes" for "engine.hedge"
      And I switch "engine.post_only" off
      And I type "7500" into "engine.max_usd"
      And I tick "fri" of "session.days"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And nothing is wider than the screen
      And these lines of config.toml changed, and no others:
        | log       = "info"                | log       = "warn"                       |
        | post_only = true # never takes    | post_only = false # never takes          |
        | hedge     = false                 | hedge     = true                         |
        | max_usd   = 5000 # per order      | max_usd   = 7500 # per order             |
        | days      = ["mon", "tue", "wed"] | days      = ["mon", "tue", "wed", "fri"] |

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: Dates, times, durations and addresses
    Given the config page is open <how>
    When I type "06:30" into "session.opens"
      And I type "2027-06-30" into "session.licence"
      And I type "2026-04-01T09:00" into "session.since"
      And I type "PT1M" into "session.heartbeat"
      And I type "2s" into "session.timeout"
      And I type "https://other.example/v2" into "session.feed"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | opens     = "08:00"                                  | opens     = "06:30"                                   |
        | licence   = 2026-12-31 # runs out that day           | licence   = 2027-06-30 # runs out that day            |
        | since     = "2026-03-02T07:45:00"                    | since     = "2026-04-01T09:00:00"                     |
        | heartbeat = "PT30S" # as the venue wants it          | heartbeat = "PT1M" # as the venue wants it            |
        | timeout   = "750ms"                                  | timeout   = "2s"                                      |
        | feed      = "https://feed.example/v1" # the fast one | feed      = "https://other.example/v2" # the fast one |

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: What does not fit is told at its field, and all that was typed is kept
    Given the config page is open <how>
    When I type "200000" into "engine.max_usd"
      And I type "30 seconds" into "session.heartbeat"
      And I type "soon" into "session.timeout"
      And I type "feed" into "session.feed"
      And I type "BTC-USD, ETH-USD" into "quote.symbols"
      And I type "06:30" into "session.opens"
      And I press Save & Restart
    Then the field "engine.max_usd" says "must be at most 100 000 USD; it is 200 000"
      And the field "session.heartbeat" says "must be a duration in ISO 8601, such as PT30S or P1D"
      And the field "session.timeout" says "must be a duration, such as 250ms, 10s or 1h30m"
      And the field "session.feed" says "must be a URL, such as https://example.com/path"
      And the field "quote.symbols" says "must be two currencies, such as BTC-USD"
      And the summary leads to each of them
      And the field "session.heartbeat" still holds "30 seconds"
      And the field "quote.symbols" still holds "BTC-USD, ETH-USD"
      And the field "session.opens" still holds "06:30"
      And nothing is wider than the screen
      And config.toml is still as it was
    When I type "8000" into "engine.max_usd"
      And I type "" into "session.heartbeat"
      And I type "3s" into "session.timeout"
      And I type "https://feed.example/v2" into "session.feed"
      And I type "ETH-USD" into "quote.symbols"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | max_usd   = 5000 # per order                          | max_usd   = 8000 # per order                         |
        | opens     = "08:00"                                   | opens     = "06:30"                                  |
        | heartbeat = "PT30S" # as the venue wants it           |                                                      |
        | timeout   = "750ms"                                   | timeout   = "3s"                                     |
        | feed      = "https://feed.example/v1" # the fast one  | feed      = "https://feed.example/v2" # the fast one |
        | symbols = ["BTC-USD", "ETH-USD", "SOL-USD"] # by rank | symbols = ["ETH-USD"] # by rank                      |

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario Outline: Half a date is not taken for none
    Given the config page is open <how>
    When I take the month out of "session.licence"
      And I press Save & Restart
    Then the field "session.licence" says "is not complete"
      And config.toml is still as it was
    When I type "2027-01-31" into "session.licence"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | licence   = 2026-12-31 # runs out that day | licence   = 2027-01-31 # runs out that day |

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: Scrolling over a number does not change it
    Given the config page is open
    When I scroll the page over "engine.max_usd"
    Then the field "engine.max_usd" still holds "5000"
      And nothing counts as changed

  Scenario Outline: Another kind of table, and another kind of value
    Given the config page is open <how>
    When I choose "Simulator" as the kind of "venue"
      And I type "20" into "venue.latency"
      And I choose "one for each level" as the kind of "quote.size"
      And I type into "quote.size" the lines "10, 25.5"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And nothing is wider than the screen
      And these lines of config.toml changed, and no others:
        | kind = "fix" # the fast way          | kind = "sim" # the fast way                  |
        | host = "fix.example:443"             | latency = 20                                 |
        | size    = 10 # or one for each level | size    = [10, 25.5] # or one for each level |

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario Outline: One setting brings others, and asks for them
    Given the config page is open <how>
    When I choose "paper" for "orders", which brings "seed"
      And I press Save & Restart
    Then the field "seed" says "is required"
    When I type "42" into "seed"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | orders  = "live" # paper while something new is tried | orders  = "paper" # paper while something new is tried |
        | account = "LDN-7"                                     | account = "LDN-7"\nseed    = 42                        |

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario Outline: Entries of a map
    Given the config page is open <how>
    When I name a new entry of "fees" "gold"
    Then the editor says "the name must be two currencies, such as BTC-USD"
    When I name a new entry of "fees" "SOL-USD"
      And I type "3.5" into "fees.SOL-USD"
      And I remove "fees.BTC-USD"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And nothing is wider than the screen
      And these lines of config.toml changed, and no others:
        | "BTC-USD" = 1.5             |                                            |
        | "ETH-USD" = 2.0 # since May | "ETH-USD" = 2.0 # since May\nSOL-USD = 3.5 |

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario Outline: None, the default, and back
    Given the config page is open <how>
    When I type "" into "engine.stop_pct"
      And I type "" into "engine.retries"
      And I reset "session.days"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | stop_pct  = 1.5 # without it there is no stop |  |
        | retries   = 5 # three were not enough         |  |
        | days      = ["mon", "tue", "wed"]             |  |
    When I open the config page again
    Then "engine.retries" is told to be 3 by default
    When I type "2.5" into "engine.stop_pct"
      And I press Save & Restart
    Then the second run is applied
      And these lines of config.toml changed, and no others:
        | stop_pct  = 1.5 # without it there is no stop |                                                              |
        | retries   = 5 # three were not enough         |                                                              |
        | days      = ["mon", "tue", "wed"]             |                                                              |
        | old_port  = 7001 # nobody connects any more   | old_port  = 7001 # nobody connects any more\nstop_pct  = 2.5 |

    Examples:
      | how                |
      | on a phone         |
      | without JavaScript |

  Scenario Outline: A list is written line by line, in any order
    Given the config page is open <how>
    When I type into "quote.symbols" the lines "SOL-USD, BTC-USD, ETH-USD, XRP-USD"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | symbols = ["BTC-USD", "ETH-USD", "SOL-USD"] # by rank | symbols = ["SOL-USD", "BTC-USD", "ETH-USD", "XRP-USD"] # by rank |

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: Tables in a table in a list of tables
    Given the config page is open <how>
    When I type "90" into "book.0.limits.alert.at_pct"
      And I move "book.0.level.1" up
      And I add to "book.1.level" an item with "bps" = "7"
      And I type "60" into "book.1.limits.alert.at_pct"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And nothing is wider than the screen
      And these lines of config.toml changed, and no others:
        | at_pct = 80 # rings on the desk                   | at_pct = 90 # rings on the desk                                               |
        | bps = 5 # the inner one\n[[book.level]]\nbps = 12 | bps = 12\n[[book.level]]\nbps = 5 # the inner one                             |
        | max_usd = 9000                                    | max_usd = 9000\n\n[book.limits.alert]\nat_pct = 60\n\n[[book.level]]\nbps = 7 |

    Examples:
      | how                |
      | on a wide screen   |
      | on a phone         |
      | without JavaScript |

  Scenario: A key of yesterday is told as such, and is changed or taken out
    Given the config page is open on a phone
    Then "engine.old_port" is marked "deprecated"
    When I type "7002" into "engine.old_port"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | old_port  = 7001 # nobody connects any more | old_port  = 7002 # nobody connects any more |
    When I open the config page again
      And I type "" into "engine.old_port"
      And I press Save & Restart
    Then the second run is applied
      And these lines of config.toml changed, and no others:
        | old_port  = 7001 # nobody connects any more |  |

  Scenario: A key that is not to be changed cannot be, by a forged form neither
    Given the config page is open
    Then "engine.build" is marked "read-only"
      And nothing can be typed into "engine.build"
    When a forged form has "6.6.6" in "engine.build"
      And I press Save & Restart
    Then the field "engine.build" says "cannot be changed here"
      And config.toml is still as it was

  Scenario: What is typed while the form is redrawn is not lost
    Given the config page is open
      And the panel is slow to answer
    When I choose "Simulator" for ":pick:venue"
      And I type "8000" into "engine.max_usd"
    Then there is a field "venue.latency"
      And the field "engine.max_usd" still holds "8000"
