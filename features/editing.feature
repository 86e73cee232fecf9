Feature: Editing that one can trust

  Background:
    Given a stack of feeds that can be edited

  Scenario: The review follows what is typed, in words and by line
    Given the config page is open
    When I type "8000" into "limits.max_usd"
    Then the review says "limits.max_usd" "5 000" → "8 000" "USD" and "takes effect on reload"
      And the review shows the line "max_usd = 8000   # the most"
    When I type "9001" into "limits.port"
    Then the review says "limits.port" "9000" → "9001" "" and "needs the service restarted by hand"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000" and "port    = 9000" → "port    = 9001"

  Scenario: A dangerous change is asked about once, and its note is kept
    Given the config page is open
    When I type "70000" into "limits.max_usd"
      And I note "agreed by phone"
      And I press Save & Restart
    Then the page asks, and says "More than a factor of ten"
      And config.toml is still as it was
    When I say yes
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 70000"
      And the run is kept with the note "agreed by phone"

  Scenario: Without JavaScript the review comes with a button
    Given the config page is open without JavaScript
    When I type "8000" into "limits.max_usd"
      And I press "Review"
    Then the review says "limits.max_usd" "5 000" → "8 000" "USD" and "takes effect on reload"
      And config.toml is still as it was
    When I press "TOML"
    Then the text has "max_usd = 8000   # the most"
    When I replace "port    = 9000" by "port    = 9002" in the text
      And I press "Form"
    Then the field "limits.port" still holds "9002"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000" and "port    = 9000" → "port    = 9002"

  Scenario: Form and text are two views of one draft
    Given the config page is open
    When I type "8000" into "limits.max_usd"
      And I press "TOML"
    Then the text has "max_usd = 8000   # the most"
    When I replace "# feeds of the desk" by "# feeds of this desk" in the text
      And I press "Form"
    Then the field "limits.max_usd" still holds "8000"
    When I type "9003" into "limits.port"
      And I press "TOML"
    Then the text has "# feeds of this desk"
      And the text has "port    = 9003"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000" and "port    = 9000" → "port    = 9003" and "# feeds of the desk" → "# feeds of this desk"

  Scenario: The config file goes while one types, and comes back
    Given the config page is open
    When I type "8000" into "limits.max_usd"
      And somebody takes config.toml away
      And I press Save & Restart
    Then the editor says "There is no config file"
      And the field "limits.max_usd" still holds "8000"
    When config.toml comes back
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000"

  Scenario: More than the panel takes is refused where it was typed
    Given the config page is open
    When I press "TOML"
      And I type 17 MB of comments below the text
      And I press Save & Restart
    Then the toast says "more than the 16384 kB"
      And the text has "max_usd = 5000   # the most"
      And config.toml is still as it was

  Scenario Outline: Problems stand at their line while one types
    Given the text page is open <how>
    When I replace "max_usd = 5000" by "max_usd = = 5000" in the text
    Then line 4 is marked
    When I press "Form"
    Then the editor says "The form cannot show this text yet"
      And the text has "max_usd = = 5000"
    When I replace "max_usd = = 5000" by "max_usd = -7" in the text
    Then line 4 is marked
      And nothing is wider than the screen
    When I follow the problem to line 4
    Then line 4 is selected
    When I replace "max_usd = -7" by "max_usd = 7000" in the text
    Then no line is marked
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 7000"

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: A file that does not parse is mended in the panel
    Given somebody leaves config.toml in a state that does not parse
      And the config page is open
    Then line 4 is marked
      And the page nowhere holds "first-token"
    When I replace "max_usd = = 5000" by "max_usd = 5000" in the text
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was

  Scenario: Somebody else changes other keys meanwhile
    Given the config page is open
    When I type "8000" into "limits.max_usd"
      And somebody changes "port    = 9000" to "port    = 9009" in config.toml
      And I press Save & Restart
    Then the editor says "changed meanwhile by somebody else"
      And the field "limits.port" still holds "9009"
      And the field "limits.max_usd" still holds "8000"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000" and "port    = 9000" → "port    = 9009"

  Scenario Outline: Somebody else changes the same key, and one press decides
    Given the config page is open
    When I type "8000" into "limits.max_usd"
      And I type "9005" into "limits.port"
      And somebody changes "max_usd = 5000" to "max_usd = 7000" in config.toml
      And I press Save & Restart
    Then the editor says "Choose whose value counts"
    When I choose "<whose>"
    Then the editor says "All is decided"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = <value>" and "port    = 9000" → "port    = 9005"

    Examples:
      | whose       | value |
      | Take theirs | 7000  |
      | Keep yours  | 8000  |

  Scenario: A change follows its group wherever somebody else moved it
    Given the config page is open
    When I type "other.example:1" into "feeds.0.host"
      And somebody moves the main feed to the end of config.toml
      And I press Save & Restart
    Then the editor says "changed meanwhile by somebody else"
      And the field "feeds.2.host" still holds "other.example:1"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as somebody left it but for "main.example:1" → "other.example:1"

  Scenario: On a phone, a clash in a group that somebody else moved is decided for that group
    Given the config page is open on a phone
    When I type "other.example:1" into "feeds.0.host"
      And somebody changes "main.example:1" to "third.example:1" in config.toml
      And somebody moves the main feed to the end of config.toml
      And I press Save & Restart
    Then the editor says "Choose whose value counts"
      And the editor says "feeds.2.host"
      And nothing is wider than the screen
    When I choose "Keep yours"
    Then the editor says "All is decided"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as somebody left it but for "third.example:1" → "other.example:1"

  Scenario: Of a group that somebody else took away, everything but its secret is shown to decide by
    Given the config page is open on a phone
    When I type "other.example:1" into "feeds.2.host"
      And somebody takes the last feed out of config.toml
      And I press Save & Restart
    Then the editor says "Choose whose value counts"
      And the editor says "legacy.example:1"
      And the page nowhere holds "third-token"
      And nothing is wider than the screen
    When I choose "Take theirs"
    Then the editor says "All is decided"
      And config.toml is as somebody left it

  Scenario: Comments that were typed survive somebody else's change
    Given the text page is open
    When I replace "# feeds of the desk" by "# feeds of this desk" in the text
      And I replace "max_usd = 5000   # the most" by "max_usd = 8000   # agreed by phone" in the text
      And somebody changes "port    = 9000" to "port    = 9009" in config.toml
      And I press Save & Restart
    Then the editor says "changed meanwhile by somebody else"
      And the text has "# feeds of this desk"
      And the text has "max_usd = 8000   # agreed by phone"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "# feeds of the desk" → "# feeds of this desk" and "max_usd = 5000   # the most" → "max_usd = 8000   # agreed by phone" and "port    = 9000" → "port    = 9009"

  Scenario: A comment alone survives somebody else's change and a crash of the browser
    Given the text page is open
    When I replace "# the most" by "# agreed by phone" in the text
      And the browser has kept "phone"
      And somebody changes "port    = 9000" to "port    = 9009" in config.toml
      And the browser crashes and is opened again
    Then I am told of 1 unsaved change
    When I press "Restore"
    Then the text has "# agreed by phone"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "# the most" → "# agreed by phone" and "port    = 9000" → "port    = 9009"

  Scenario: A comment that cannot be merged is still there to copy, after a crash too
    Given the text page is open
    When I replace "# the most" by "# agreed by phone" in the text
      And somebody changes "# the most" to "# as in May" in config.toml
      And I press Save & Restart
    Then the editor says "could not all be merged"
      And the text as I typed it has "# agreed by phone"
      And the text has "# as in May"
    When the browser has kept "agreed"
      And the browser crashes and is opened again
    Then I am told of 1 unsaved change
    When I press "Restore"
    Then the text as I typed it has "# agreed by phone"

  Scenario Outline: A draft survives a crash of the browser
    Given the <view> page is open <how>
    When I change the limit to 8000 there
      And the browser crashes and is opened again
    Then I am told of 1 unsaved change
      And nothing is wider than the screen
    When I press "Restore"
    Then the review says "limits.max_usd" "5 000" → "8 000" "USD" and "takes effect on reload"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000"
    When the browser crashes and is opened again
    Then I am told of no unsaved change

    Examples:
      | view   | how              |
      | config | on a wide screen |
      | config | on a phone       |
      | text   | on a wide screen |
      | text   | on a phone       |

  Scenario: A dropped draft is gone, and no secret is in it
    Given the config page is open
    When I type "a-new-password" into "account.password"
      And I type "8000" into "limits.max_usd"
      And the browser has kept "8000"
      And the browser crashes and is opened again
    Then I am told of 2 unsaved changes
      And the browser keeps nothing of "a-new-password"
    When I press "Drop"
      And the browser crashes and is opened again
    Then I am told of no unsaved change

  Scenario: The browser keeps no secret of a text, and each tab its own draft
    Given the text page is open
    When I put "creds = { user = 'u', token = 'typed-77' } # typed-78" below the limit
      And the browser has kept "creds"
    Then the browser keeps nothing of "typed-7"
    When I change the limit to 8000 in a second tab
    Then the browser keeps 2 drafts

  Scenario Outline: Groups are added, removed and moved, and comments go along
    Given the config page is open <how>
    When I move feed 2 up
      And I remove the last feed
      And I add a feed "tape" at "tape.example:1"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml has the feeds "backup, main, tape", each with its comment and token

    Examples:
      | how                |
      | with JavaScript    |
      | without JavaScript |

  Scenario Outline: A secret left blank stays, is in no page, and says where else it may come from
    Given the config page is open <how>
    Then the page nowhere holds "first-token"
      And the page nowhere holds "old-token"
      And the editor says "DESK_PASSWORD"
    When I type "8000" into "limits.max_usd"
      And I press "TOML"
    Then the page nowhere holds "first-token"
      And the page nowhere holds "old-token"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000"

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: Keys that the schema does not know are shown and kept
    Given the config page is open
    Then the editor says "colour"
    When I type "8000" into "limits.max_usd"
      And I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 8000"

  Scenario: A key that may be misspelt is pointed out before it is applied, and after
    Given the text page is open
    When I replace "max_usd = 5000" by "max_us = 5000" in the text
    Then the editor says "The schema does not know limits.max_us; did you mean max_usd?"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_us = 5000"
    When I press "Form"
    Then the editor says "Did you mean max_usd?"

  Scenario Outline: A setting is found by its key or its description
    Given the config page is open <how>
    When I look for "listens"
    Then of all fields only "limits.port" is shown
      And nothing is wider than the screen
    When I look for "nothing like it"
    Then the editor says "No key is called that"

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: What is taken out is shown at once, and can be put back
    Given the config page is open <how>
    When I take "feeds.0.token" out with the keyboard
    Then the keyboard is at "feeds.0.token"
      And the review says that "feeds.0.token" is "removed, secret"
      And the field "feeds.0.token" is marked as changed
      And "feeds.0.token" is told to be "taken out of the file when this is saved"
    When I press "Put it back"
    Then the keyboard is at "feeds.0.token"
      And nothing counts as changed
    When I remove "feeds.2"
    Then the keyboard is at the button "Put legacy back"
      And nothing is wider than the screen
    When I press "Put legacy back"
    Then there is a field "feeds.2.host"
      And nothing counts as changed

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: A problem stands at its field for as long as it is there, and the review leads to it
    Given the config page is open <how>
    When I type "-1" into "limits.max_usd"
    Then the field "limits.max_usd" says "must be at least 1 USD; it is -1"
      And the keyboard is at "limits.max_usd"
      And nothing is wider than the screen
    When I type "9001" into "limits.port"
      And I follow the review to "limits.max_usd"
    Then the keyboard is at "limits.max_usd"
    When I press Save & Restart
    Then the editor says "Nothing was applied: 1 thing to correct"
    When I type "1200" into "limits.max_usd"
    Then nothing is wrong with the field "limits.max_usd"
      And the keyboard is at "limits.max_usd"
    When I press Save & Restart
    Then the toast says "Configuration applied"
      And config.toml is as it was but for "max_usd = 5000" → "max_usd = 1200" and "port    = 9000" → "port    = 9001"

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario Outline: One change is undone, and then all of them are
    Given the config page is open <how>
    When I type "8000" into "limits.max_usd"
      And I type "9001" into "limits.port"
      And the browser has kept "9001"
      And I undo "limits.port"
    Then the field "limits.port" still holds "9000"
      And 1 change is counted
      And nothing is wider than the screen
    When I discard all changes
    Then nothing counts as changed
      And the field "limits.max_usd" still holds "5000"
      And I am told of no unsaved change
      And config.toml is still as it was

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: A draft is offered when its tab is gone, and not before
    Given the config page is open
    When I type "8000" into "limits.max_usd"
      And the browser has kept "8000"
    Then a second tab is not offered it
    When the browser crashes and is opened again
    Then I am told of 1 unsaved change

  Scenario Outline: Somebody else's change is told wherever one is on the page, and nothing changes under one's hands
    Given the config page is open <how>
    When I go to the field "feeds.2.host"
      And somebody changes "port    = 9000" to "port    = 9009" in config.toml
    Then the editor says "was changed since this page was opened"
      And it is not said that anything would be dropped
      And the action bar says "The file was changed meanwhile"
      And the keyboard is at "feeds.2.host"
      And the field "limits.port" still holds "9000"
    When I type "8000" into "limits.max_usd"
    Then the editor says "which drops what you typed here"
      And the field "limits.max_usd" still holds "8000"
      And nothing is wider than the screen

    Examples:
      | how              |
      | on a wide screen |
      | on a phone       |

  Scenario: A field says whether its secret is set
    Given the config page is open on a phone
    Then "account.password" is told to be "Empty in the file"
      And "feeds.0.token" is told to be "Set in the file"

  Scenario: Enter and the change of the view keep the place
    Given the config page is open on a phone
    When I type "other.example:1" into "feeds.2.host"
      And I press Enter in "feeds.2.host"
    Then the review says that "feeds.2.host" is "other.example:1"
      And the keyboard is at "feeds.2.host", and that is where it was
    When I press "TOML"
    Then the text has "other.example:1"
      And the keyboard is at the button "TOML"

  Scenario: On a phone
    Given the config page is open on a phone
    When I type "70000" into "limits.max_usd"
    Then the action bar is in reach of the thumb
    When I go to the review
    Then the review says "limits.max_usd" "5 000" → "70 000" "USD" and "takes effect on reload"
      And nothing is wider than the screen
    When I press "TOML"
    Then nothing is wider than the screen
      And the action bar is in reach of the thumb
    When I press Save & Restart
    Then the page asks, and says "More than a factor of ten"
      And nothing is wider than the screen
    When I say yes
    Then the toast says "Configuration applied"
