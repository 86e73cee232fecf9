// Package views draws the pages. Each page has one value, made by handlers and holding what is
// shown in the form in which it is shown; a view looks nothing up and decides nothing but markup.
// A part that changes while a page is open is a component with a stable id, the same whether it
// comes with the page or by itself over the page's event stream (see Part).
//
// The *_templ.go files are generated: go tool templ generate -path views
package views

import (
	"time"

	"github.com/a-h/templ"
)

// Frame is what every page has around its content.
type Frame struct {
	Title   string
	Page    string // overview, config, schedule or history: what the navigation marks
	Stream  string // address of the page's event stream; "" is none
	Refresh int    // seconds after which a browser without JavaScript asks again; 0 is never
	Trading Trading
	Later   LaterNotice
	Toast   Toast
	Version string
}

// Part is a piece of a page that can be sent again by itself. ID is the id of its outermost element.
type Part struct {
	ID   string
	Body templ.Component
	// Morph keeps focus and what was typed, by changing the element in place of replacing it.
	Morph bool
}

// Tone is the colour of something; it never stands without a word.
type Tone string

const (
	Good    Tone = "good"
	Caution Tone = "caution"
	Bad     Tone = "bad"
	Busy    Tone = "busy"
	Quiet   Tone = "quiet"
)

// Badge is a state: a colour, an icon and a word.
type Badge struct {
	Tone Tone
	Icon string // a name that the icon component knows
	Word string
}

// Moment is an instant, for people and for machines. The zero Moment is not shown.
type Moment struct {
	Machine string // RFC 3339
	Text    string
}

// At is t as people at this panel read it: the time alone if it is of the same day as now.
func At(t, now time.Time, zone *time.Location) Moment {
	if t.IsZero() {
		return Moment{}
	}
	local, today := t.In(zone), now.In(zone)
	layout := "Mon 2 Jan 2006 15:04"
	switch {
	case local.YearDay() == today.YearDay() && local.Year() == today.Year():
		if layout = "15:04:05"; local.Second() == 0 {
			layout = "15:04"
		}
	case t.Sub(now).Abs() < 7*24*time.Hour:
		layout = "Mon 15:04"
	case local.Year() == today.Year():
		layout = "Mon 2 Jan 15:04"
	}
	return Moment{Machine: t.Format(time.RFC3339Nano), Text: local.Format(layout)}
}

// Toast is the last word on what was asked for: a status when it was done, an alert when it was not.
type Toast struct {
	Status string
	Alert  string
	Run    string // the run that it is about, which the page shows; empty: none
	By     string // who asked, where it was not this tab
}

// Problem is something wrong with a document, at the field it concerns if there is one.
type Problem struct {
	Place   string // such as "risk.max_position_usd" or "line 4, column 7"
	Target  string // id of the field; "" is none
	Message string
}
