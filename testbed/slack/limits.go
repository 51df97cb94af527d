package main

// Slack's limits, as its reference for Block Kit and its page on rate limits state them, except where noted. Lengths are in
// characters of the text as it is sent, so with &amp; counting five.
const (
	maxBody     = 1 << 20 // no limit is documented; this one protects the stand-in
	maxText     = 40_000  // longer top-level text is cut, not refused
	maxBlocks   = 50
	maxBlockID  = 255
	maxHeader   = 150
	maxSection  = 3000
	maxFields   = 10
	maxField    = 2000
	maxContext  = 10 // elements
	maxActions  = 25 // elements
	maxButton   = 75
	maxValue    = 2000
	maxURL      = 3000
	maxAltText  = 2000
	maxMarkdown = 12_000

	// Not documented. Reports of chat.postMessage refusing messages with `msg_blocks_too_long` put it at 13,200 to 13,300
	// characters over all blocks together.
	maxAllBlocks = 13_200
)
