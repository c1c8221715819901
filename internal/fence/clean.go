package fence

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Clean returns text without the characters that nobody sees (Unicode tags,
// zero-width and direction characters, which can carry hidden instructions),
// and with a space inside every control token of a model's own format, such as
// <|im_start|>, [INST] or a line that begins with "Human:", so that no
// tokenizer and no template takes it for one. Everything else stays as it is;
// what is not UTF-8 becomes U+FFFD. Cleaning twice changes nothing more. It
// takes time in proportion to the length of text.
func Clean(text string) string {
	text = visible(strings.ToValidUTF8(text, "\uFFFD"))
	if !strings.ContainsAny(text, "<[") && !strings.Contains(text, "Human:") && !strings.Contains(text, "Assistant:") {
		return text // most text
	}
	var out strings.Builder
	done := 0 // what stands in out
	for i := 0; i < len(text); i++ {
		at := -1 // where the space goes
		switch text[i] {
		case '<', '[':
			if opensToken(text[i:]) {
				at = i + 1
			}
		case 'H', 'A':
			if startsLine(text, i) && opensTurn(text[i:]) {
				at = i
			}
		}
		if at >= 0 {
			out.WriteString(text[done:at])
			out.WriteByte(' ')
			done = at
		}
	}
	if done == 0 && out.Len() == 0 {
		return text
	}
	return out.String() + text[done:]
}

// startsLine says whether a line begins at i, by anybody's idea of a line.
func startsLine(text string, i int) bool {
	return i == 0 || text[i-1] == '\n' || text[i-1] == '\r' ||
		strings.HasSuffix(text[:i], "\u2028") || strings.HasSuffix(text[:i], "\u2029") || strings.HasSuffix(text[:i], "\u0085")
}

// opensTurn recognises the turns of Anthropic's first format.
func opensTurn(rest string) bool {
	return strings.HasPrefix(rest, "Human:") || strings.HasPrefix(rest, "Assistant:")
}

// maxToken is the longest name of a control token, in bytes.
const maxToken = 64

// tagTokens are control tokens, and the words of tool formats, that are
// written like tags: <name> and </name>.
var tagTokens = []string{
	"s", "bos", "eos", "pad", "unk", "sop", "eop", "start_of_turn", "end_of_turn", "think", "system", "system-reminder",
	"tool_call", "tool_calls", "tool_response", "tool_result", "tool_results", "tool_use",
	"function_call", "function_calls", "function_result", "function_results",
}

// bracketTokens are those that are written [NAME] and [/NAME].
var bracketTokens = []string{
	"INST", "SYSTEM_PROMPT", "AVAILABLE_TOOLS", "TOOL_CALLS", "TOOL_RESULTS", "TOOL_CONTENT", "CALL_ID", "ARGS", "THINK",
	"gMASK", "sMASK",
}

// opensToken says whether rest, which begins with < or [, begins with a
// control token.
func opensToken(rest string) bool {
	if rest[0] == '[' {
		name, _, closed := strings.Cut(rest[1:min(len(rest), maxToken)], "]")
		return closed && slices.Contains(bracketTokens, strings.TrimPrefix(name, "/"))
	}
	if strings.HasPrefix(rest, "<<SYS>>") || strings.HasPrefix(rest, "<</SYS>>") {
		return true
	}
	name := rest[1:min(len(rest), maxToken+3)]
	if end := strings.IndexAny(name, "<> \t\r\n"); end >= 0 {
		return isTag(strings.TrimPrefix(name[:end], "/"), name[end]) || isBarred(rest)
	}
	return isBarred(rest)
}

// isTag says whether a tag of this name, which end follows, is a token.
func isTag(name string, end byte) bool {
	if name == "s" { // a letter after "less than" is common
		return end == '>'
	}
	return end != '<' && (slices.Contains(tagTokens, name) || isMark(name) || strings.HasPrefix(name, "antml:"))
}

// isBarred recognises <|name|>, <|name>, <name|> and their full-width form, in
// which most models write their control tokens.
func isBarred(rest string) bool {
	end := strings.IndexByte(rest[:min(len(rest), maxToken+8)], '>')
	if end < 3 {
		return false
	}
	inner := rest[1:end]
	name := inner
	for _, bar := range []string{"|", "\uFF5C"} {
		name = strings.TrimSuffix(strings.TrimPrefix(name, bar), bar)
	}
	return name != "" && name != inner && strings.IndexFunc(name, notInName) < 0
}

func notInName(r rune) bool {
	switch {
	case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-', r == '/', r == '\u2581':
		return false
	}
	return true
}

// visible returns text without the characters that have no shape.
func visible(text string) string {
	if plain(text) || strings.IndexFunc(text, suspect) < 0 {
		return text
	}
	var last rune
	return strings.Map(func(r rune) rune {
		drop := isHidden(r) || joins(r) && joins(last)
		if drop {
			return -1
		}
		last = r
		return r
	}, text)
}

// plain says whether text is ASCII without anything to take out.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c >= 0x7F || c < ' ' && isHidden(rune(c)) {
			return false
		}
	}
	return true
}

func suspect(r rune) bool { return (r < ' ' || r >= utf8.RuneSelf) && (isHidden(r) || joins(r)) }

// joins says whether r changes the shape of its neighbours and has none of its
// own. One is part of many scripts and pictographs; a row of them is a code.
func joins(r rune) bool { return r >= 0x200C && r <= 0x200F || r >= 0xFE00 && r <= 0xFE0F }

// hidden are the characters that nobody sees, as ranges.
var hidden = [][2]rune{
	{0x00, 0x08}, {0x0B, 0x0C}, {0x0E, 0x1A}, {0x1C, 0x1F}, {0x7F, 0x7F}, // controls but tab, line ends and escape
	{0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160}, {0x17B4, 0x17B5}, {0x180B, 0x180F},
	{0x200B, 0x200B}, {0x202A, 0x202E}, {0x2060, 0x206F}, {0x3164, 0x3164},
	{0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0}, {0xFFF0, 0xFFFB}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
	{0xE0000, 0xE0FFF}, // tags and the supplementary variation selectors
}

func isHidden(r rune) bool {
	if r >= 0x3165 && r < 0xFE00 { // most of the scripts of East Asia
		return false
	}
	for _, span := range hidden {
		if r <= span[1] {
			return r >= span[0]
		}
	}
	return false
}
