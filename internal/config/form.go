package config

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// checkForm says what is wrong with a text that must be more than a text. An
// empty one is right, except as a host.
func checkForm(form, text string) *fault {
	if text == "" && form != "host" {
		return nil
	}
	switch form {
	case "url":
		if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return &fault{message: "must be an address such as http://127.0.0.1:8080/v1, not " + quote(withoutPassword(text))}
		}
	case "host":
		return checkHost(text)
	case "origin":
		return checkOrigin(text)
	case "network":
		if _, err := netip.ParsePrefix(text); err != nil {
			if _, err := netip.ParseAddr(text); err != nil {
				return &fault{message: "must be a network such as 10.0.0.0/8, or an IP address, not " + quote(text)}
			}
		}
	case "clock":
		if _, err := time.Parse("15:04", text); err != nil || len(text) != len("15:04") {
			return &fault{message: "must be a time of day such as 22:00, not " + quote(text)}
		}
	case "timezone":
		if _, err := time.LoadLocation(text); err != nil {
			return &fault{message: "must be a time zone such as UTC or Europe/Berlin, not " + quote(text)}
		}
	}
	return nil
}

func checkHost(text string) *fault {
	if _, err := netip.ParseAddr(text); err == nil {
		return nil
	}
	wrong := &fault{message: "must be an IP address or a name, without a port, not " + quote(text)}
	if inner, ok := strings.CutPrefix(text, "["); ok {
		wrong.suggestion = strings.TrimSuffix(inner, "]")
		return wrong
	}
	digitsOnly := strings.Trim(text, "0123456789.") == "" // a broken IPv4 address, not a name
	valid := !digitsOnly && len(text) <= 253
	for _, label := range strings.Split(strings.TrimSuffix(text, "."), ".") {
		valid = valid && isLabel(label)
	}
	if !valid {
		return wrong
	}
	return nil
}

// isLabel accepts what stands between the dots of a host name; underscores
// are in use in container networks.
func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
}

func checkOrigin(text string) *fault {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme == "" || u.User != nil {
		return &fault{message: "must be an origin such as https://example.org, not " + quote(withoutPassword(text))}
	}
	if origin := u.Scheme + "://" + u.Host; text != origin {
		return &fault{message: "must be an origin: scheme, name and port only", suggestion: origin}
	}
	return nil
}

// withoutPassword hides what stands before the @ of an address.
func withoutPassword(address string) string {
	at := strings.LastIndex(address, "@")
	if at < 0 {
		return address
	}
	start := strings.Index(address, "//")
	if start < 0 || start > at {
		return "…" + address[at:]
	}
	return address[:start+2] + "…" + address[at:]
}

// placeholders matches the tokens of examples, which everybody knows. It is
// compiled only where there is a token to check.
const placeholders = `(?i)^(<.*>|your[-_ ].*|change[-_ ]?(me|this|it).*|replace[-_ ]?(me|this|with).*|example([-_ ].*)?|placeholder.*|(my[-_ ]?|super[-_ ]?)?secret|password\d*|token\d*|x+|\*+|\.+|0+|1234567[8]?9?0?|abcdefgh.*)$`

// shortestToken is what guessing at the speed the gateway allows takes longer
// than anybody has, for a random token.
const shortestToken = 8

// checkToken says what is wrong with a token, without showing it.
func checkToken(token string) string {
	const remedy = "; set gateway.auth.token or OPENCLAW_AUTH_TOKEN to a random text, such as one from: openssl rand -hex 24"
	switch {
	case strings.TrimSpace(token) == "":
		return "is empty although gateway.auth.enabled is true" + remedy
	case strings.Contains(token, "${"):
		return "is a reference that nobody resolved" + remedy
	case len(token) < shortestToken:
		return "is shorter than 8 characters" + remedy
	case regexp.MustCompile(placeholders).MatchString(token):
		return "is a placeholder from an example" + remedy
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return "contains a space or a control character, which no header can carry" + remedy
	}
	return ""
}
