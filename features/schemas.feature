Feature: Schemas of programs that everybody knows

  Scenario Outline: One key is changed, and every other byte stays
    Given a stack with the config and the schema of "<name>"
      And the config page is open on a phone
    Then nothing is wider than the screen
      And nothing counts as changed
    When I widen the window to 1280
    Then nothing is wider than the screen
    When I type "<typed>" into "<field>"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And these lines of config.toml changed, and no others:
        | <line> | <now> |

    Examples:
      | name    | field                      | typed   | line             | now              |
      | agent   | agent.interval             | 20s     | interval = "10s" | interval = "20s" |
      | bot     | exchange.name              | binance | name = "kraken"  | name = "binance" |
      | compose | services.web.image         | web:2   | image = "web:1"  | image = "web:2"  |
      | project | project.version            | 0.2     | version = "0.1"  | version = "0.2"  |
      | rules   | limits.hard                | 30      | hard = 20        | hard = 30        |
      | tree    | children.1.children.0.name | leaf    | name = "c1c0"    | name = "leaf"    |
      | values  | cache.service.port         | 9004    | port = 8004      | port = 9004      |
