package schedule

type edge struct{ text string }

type weekdays uint8
