package redact

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Bounds of a rule file.
const (
	maxFile     = 256 << 10
	maxEntries  = 500
	maxNameSize = 100
	maxPatterns = 50
	maxRegexp   = 1000 // bytes; RE2 takes time linear in the text whatever the expression
)

// rules are what is to be found. They never change.
type rules struct {
	headers  map[string]struct{} // in lower case
	exact    map[string]struct{} // plain names
	within   []string            // plain names, anywhere in a name
	patterns []pattern
	cards    bool
	userinfo bool
	literals bool // SQL literals are taken out
}

// pattern is the shape of a secret. Group 1, where there is one, is what is taken out.
type pattern struct {
	name  string
	re    *regexp.Regexp
	hints []string // in small letters: one of them is in every text that matches. None: nothing is known
}

// Names of rules that are no header, name or pattern; they can be removed.
const (
	ruleCards    = "cards"
	ruleUserinfo = "url-userinfo"
	ruleLiterals = "sql-literals"
)

// defaultHeaders are header fields whose whole value is taken out.
func defaultHeaders() []string {
	return []string{
		"authorization", "proxy-authorization", "authentication-info", "proxy-authentication-info",
		"cookie", "cookie2", "set-cookie", "set-cookie2", "x-api-key", "api-key", "apikey", "x-auth-token", "x-access-token", "x-csrf-token",
		"x-xsrf-token", "x-amz-security-token", "x-goog-iam-authorization-token", "x-vault-token", "x-gitlab-token", "private-token",
		"x-forwarded-client-cert", "x-hub-signature", "x-hub-signature-256", "x-aws-ec2-metadata-token", "x-session-id",
	}
}

// defaultNames are names of parameters, fields and header fields whose value is taken out. With stars a part of a name is enough; letter case, "-", "_", "." and
// spaces do not matter.
func defaultNames() []string {
	return []string{
		"*password*", "*passwd*", "*passwort*", "*passphrase*", "pwd", "pass", "*userpass*", "*secret*", "*token*", "*apikey*", "*accesskey*", "*privatekey*",
		"*credential*", "*session*", "sid", "jsessionid", "phpsessid", "connect.sid", "*authorization*", "auth", "*signature*", "sig", "otp", "pin",
		"cvv", "cvc", "cvv2", "*cardnumber*", "*ccnumber*", "pan", "ssn", "iban", "*jwt*", "*bearer*", "*cookie*", "*csrf*", "*xsrf*", "code_verifier",
		"client_assertion", "samlresponse", "*encryptionkey*", "*signingkey*", "*connectionstring*",
	}
}

// defaultPatterns are secrets by their shape.
func defaultPatterns() []pattern {
	p := func(name, re string, hints ...string) pattern { return pattern{name, regexp.MustCompile(re), hints} }
	return []pattern{
		p("bearer", `(?i)\bbearer[ \t+]+([A-Za-z0-9._~+/=-]{6,})`, "bearer"),
		p("scheme", `(?i)\b(?:basic|negotiate|apikey|token)[ \t+]+([A-Za-z0-9._~+/=-]{16,})`, "basic", "negotiate", "apikey", "token"), // "token expired" is none
		p("jwt", `\beyJ[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*){0,4}`, "eyj"),
		p("aws-key", `\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{12,}`, "a3t", "akia", "agpa", "aida", "aroa", "aipa", "anpa", "anva", "asia"),
		p("github-token", `\b(?:gh[pousr]_[A-Za-z0-9]{10,}|github_pat_[A-Za-z0-9_]{10,})`, "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
		p("gitlab-token", `\bglpat-[A-Za-z0-9_-]{10,}`, "glpat-"),
		p("slack-token", `\bxox[abeoprs]-[A-Za-z0-9-]{8,}`, "xox"),
		p("google-key", `\bAIza[A-Za-z0-9_-]{20,}`, "aiza"),
		p("stripe-key", `\b[srp]k_(?:live|test)_[A-Za-z0-9]{8,}`, "k_live_", "k_test_"),
		p("npm-token", `\bnpm_[A-Za-z0-9]{20,}`, "npm_"),
		p("sk-key", `\bsk-[A-Za-z0-9_-]{16,}`, "sk-"),
		p("private-key", `(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY.*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\z)`, "private key"),
	}
}

// file is the rule file.
type file struct {
	Remove   []yaml.Node `yaml:"remove"`
	Headers  []yaml.Node `yaml:"headers"`
	Names    []yaml.Node `yaml:"names"`
	Patterns []yaml.Node `yaml:"patterns"`
}

// Default returns the redactor that needs no configuration.
func Default() *Redactor {
	r, err := Parse(nil)
	if err != nil {
		panic(err) // the defaults are constants
	}
	return r
}

// Load reads a rule file. The error names the file and the line.
func Load(path string) (*Redactor, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read redaction rules: %w", err)
	}
	if st.Size() > maxFile {
		return nil, fmt.Errorf("read redaction rules %s: %d bytes are more than %d", path, st.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read redaction rules: %w", err)
	}
	r, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("read redaction rules %s: %w", path, err)
	}
	return r, nil
}

// Parse reads the text of a rule file. The defaults hold but for what it removes.
func Parse(text []byte) (*Redactor, error) {
	var f file
	if len(text) > 0 {
		d := yaml.NewDecoder(strings.NewReader(string(text)))
		d.KnownFields(true)
		if err := d.Decode(&f); err != nil && err.Error() != "EOF" {
			return nil, err
		}
	}
	if n := len(f.Remove) + len(f.Headers) + len(f.Names); n > maxEntries || len(f.Patterns) > maxPatterns {
		return nil, fmt.Errorf("%d entries and %d patterns: at most %d and %d", n, len(f.Patterns), maxEntries, maxPatterns)
	}
	b := builder{headers: defaultHeaders(), names: defaultNames(), patterns: defaultPatterns(), flags: map[string]bool{ruleCards: true, ruleUserinfo: true, ruleLiterals: true}}
	var errs []error
	for _, n := range f.Remove {
		errs = append(errs, b.remove(&n))
	}
	for _, n := range f.Headers {
		s, err := word(&n)
		if strings.Contains(s, "*") {
			err = errors.Join(err, fmt.Errorf("line %d: header %q: a whole name is wanted here; under names, stars are allowed, and names of header fields count too", n.Line, s))
		}
		b.headers, errs = append(b.headers, strings.ToLower(s)), append(errs, err)
	}
	for _, n := range f.Names {
		s, err := word(&n)
		if err == nil && plain(strings.Trim(s, "*")) == "" {
			err = fmt.Errorf("line %d: name %q holds nothing to compare", n.Line, s)
		}
		b.names, errs = append(b.names, s), append(errs, err)
	}
	for _, n := range f.Patterns {
		p, err := parsePattern(&n)
		b.patterns, errs = append(b.patterns, p), append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Redactor{rules: b.build()}, nil
}

// builder gathers the rules that are in force.
type builder struct {
	headers, names []string
	patterns       []pattern
	flags          map[string]bool
}

// remove takes out a default by its name: a header field, a name as it is listed, or that of a pattern.
func (b *builder) remove(n *yaml.Node) error {
	s, err := word(n)
	if err != nil {
		return err
	}
	before := len(b.headers) + len(b.names) + len(b.patterns) + len(b.flags)
	b.headers = slices.DeleteFunc(b.headers, func(h string) bool { return h == strings.ToLower(s) })
	b.names = slices.DeleteFunc(b.names, func(h string) bool { return h == s || strings.Trim(h, "*") == s })
	b.patterns = slices.DeleteFunc(b.patterns, func(p pattern) bool { return p.name == s })
	delete(b.flags, s)
	if len(b.headers)+len(b.names)+len(b.patterns)+len(b.flags) == before {
		return fmt.Errorf("line %d: there is no rule %q to remove: see docs/content.md for their names", n.Line, s)
	}
	return nil
}

func (b *builder) build() rules {
	r := rules{
		headers: map[string]struct{}{}, exact: map[string]struct{}{}, patterns: b.patterns,
		cards: b.flags[ruleCards], userinfo: b.flags[ruleUserinfo], literals: b.flags[ruleLiterals],
	}
	for _, h := range b.headers {
		r.headers[h] = struct{}{}
	}
	for _, n := range b.names {
		if strings.Contains(n, "*") {
			r.within = append(r.within, plain(strings.Trim(n, "*")))
		} else {
			r.exact[plain(n)] = struct{}{}
		}
	}
	return r
}

// word reads one entry of a list.
func word(n *yaml.Node) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Value == "" || len(n.Value) > maxNameSize {
		return "", fmt.Errorf("line %d: want a name of 1 to %d bytes", n.Line, maxNameSize)
	}
	return n.Value, nil
}

func parsePattern(n *yaml.Node) (pattern, error) {
	var p struct {
		Name   string `yaml:"name"`
		Regexp string `yaml:"regexp"`
	}
	if n.Kind != yaml.MappingNode {
		return pattern{}, fmt.Errorf(`line %d: a pattern has two keys, "name" and "regexp"`, n.Line)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if k := n.Content[i]; k.Value != "name" && k.Value != "regexp" {
			return pattern{}, fmt.Errorf(`line %d: unknown key %q: a pattern has "name" and "regexp"`, k.Line, k.Value)
		}
	}
	if err := n.Decode(&p); err != nil {
		return pattern{}, fmt.Errorf("line %d: %w", n.Line, err)
	}
	if p.Name == "" || p.Regexp == "" || len(p.Regexp) > maxRegexp {
		return pattern{}, fmt.Errorf("line %d: a pattern needs a name and a regexp of at most %d bytes", n.Line, maxRegexp)
	}
	re, err := regexp.Compile(p.Regexp)
	if err != nil {
		return pattern{}, fmt.Errorf("line %d: pattern %q: %w", n.Line, p.Name, err)
	}
	if re.MatchString("") {
		return pattern{}, fmt.Errorf("line %d: pattern %q matches the empty text, and so everything", n.Line, p.Name)
	}
	return pattern{name: p.Name, re: re}, nil
}
