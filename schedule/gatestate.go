package schedule

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Mode is what decides about trading.
type Mode string

const (
	FollowSchedule Mode = "schedule"
	Halted         Mode = "halted" // the kill switch: only a person lifts it
	Forced         Mode = "forced" // trading on until an instant, whatever the schedule says
)

// GateState is trading.json: the flag, and why, since when, until when and by whom. Until is when it
// changes by itself, as far as is known: the end of a Forced, the schedule's next edge; nil: no such
// instant. A service that sees Until pass and the file unchanged knows that nobody keeps the file.
type GateState struct {
	TradingEnabled bool       `json:"trading_enabled"`
	Mode           Mode       `json:"mode"`
	Reason         string     `json:"reason"`
	Since          time.Time  `json:"since"`
	Until          *time.Time `json:"until"`
	By             string     `json:"by"`
}

// encode writes the state as the file has it.
func (s GateState) encode() ([]byte, error) {
	content, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("writing the gate's state as JSON: %w", err)
	}
	return append(content, '\n'), nil
}

// decodeGate reads a state that a gate or a person wrote.
func decodeGate(content []byte) (GateState, error) {
	var s GateState
	decoder := json.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&s); err != nil {
		return GateState{}, fmt.Errorf("it is not the JSON of a gate: %w", err)
	}
	_, err := decoder.Token()
	switch alone := errors.Is(err, io.EOF); {
	case s.Mode == Halted: // whatever follows: a longer file may have been overwritten
		return s, nil
	case !alone:
		return GateState{}, fmt.Errorf("something follows after the JSON of a gate")
	case s.Mode == FollowSchedule:
		return s, nil
	case s.Mode == Forced:
		if s.Until == nil {
			return GateState{}, fmt.Errorf("its mode is forced, without an end")
		}
		return s, nil
	}
	return GateState{}, fmt.Errorf("its mode is %q, which is none", s.Mode)
}

// same reports whether two states are one to those who read them.
func (s GateState) same(o GateState) bool {
	until := s.Until == nil && o.Until == nil || s.Until != nil && o.Until != nil && s.Until.Equal(*o.Until)
	return until && s.TradingEnabled == o.TradingEnabled && s.Mode == o.Mode && s.Reason == o.Reason &&
		s.By == o.By && s.Since.Equal(o.Since)
}
