// Package text implements the operations.
package text

import (
	"strings"
	"unicode/utf8"
)

// Count implements `word-count`.
type Count struct {
	Count  int `json:"count" msgpack:"count"`
	Unique int `json:"unique" msgpack:"unique"`
}

// Reversed implements `reverse`.
type Reversed struct {
	Text string `json:"text" msgpack:"text"`
}

// Statistics implements `statistics`.
type Statistics struct {
	Chars             int     `json:"chars" msgpack:"chars"`
	Words             int     `json:"words" msgpack:"words"`
	Lines             int     `json:"lines" msgpack:"lines"`
	Bytes             int     `json:"bytes" msgpack:"bytes"`
	AverageWordLength float64 `json:"average-word-length" msgpack:"average-word-length"`
	LongestWord       string  `json:"longest-word" msgpack:"longest-word"`
}

// Operations are the operations by name.
var Operations = map[string]func(string) any{
	"word-count": func(text string) any { return wordCount(text) },
	"reverse":    func(text string) any { return reverse(text) },
	"statistics": func(text string) any { return statistics(text) },
}

// Names are the operations in the order of the metadata.
var Names = []string{"word-count", "reverse", "statistics"}

// Words are separated by white space as defined by Unicode.
func wordCount(text string) Count {
	unique := map[string]struct{}{}
	count := 0
	for word := range strings.FieldsSeq(text) {
		count++
		unique[word] = struct{}{}
	}
	return Count{count, len(unique)}
}

// reverse works on Unicode scalar values, so a combining mark ends up before its letter.
func reverse(text string) Reversed {
	reversed := make([]byte, len(text))
	end := len(text)
	for _, char := range text {
		end -= utf8.RuneLen(char)
		utf8.EncodeRune(reversed[end:], char)
	}
	return Reversed{string(reversed)}
}

func statistics(text string) Statistics {
	all := Statistics{
		Chars: utf8.RuneCountInString(text),
		Lines: strings.Count(text, "\n"),
		Bytes: len(text),
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		all.Lines++
	}
	letters, longest := 0, 0
	for word := range strings.FieldsSeq(text) {
		length := utf8.RuneCountInString(word)
		all.Words++
		letters += length
		if length > longest {
			longest, all.LongestWord = length, word
		}
	}
	if all.Words > 0 {
		all.AverageWordLength = float64(letters) / float64(all.Words)
	}
	return all
}
