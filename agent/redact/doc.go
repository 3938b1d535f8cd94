// Package redact takes secrets out of text that people are to read.
//
// In: the start of a message, perhaps cut. Out: the same text with "[redacted]" in place of what may be a secret.
// It must not know sockets, exchanges or who asks.
//
// # How
//
// Text is looked at as it is and, up to three times more, with its escapes undone (%41, \u0041, \", &quot;): a secret inside a URL inside a
// JSON string is found where it stands. Each look marks spans of the original; all of them are replaced. What looks marks are
//
//   - the value of a name that sounds like a secret: password=…, "token": …, <secret>…</secret>, name="pwd" in a form;
//   - what has the shape of a secret by itself: bearer tokens, JSON web tokens, keys of clouds, private keys;
//   - numbers of 13 to 19 digits that pass the check of payment cards (Luhn, ISO/IEC 7812-1 annex B);
//   - user:password@ in URLs.
//
// A span that begins and whose end is not there, because the text is cut, lasts to the end of the text. When in doubt, it is a secret.
package redact

// Mark stands where something was taken out.
const Mark = "[redacted]"
