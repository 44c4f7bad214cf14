package dialogue

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/hostile"
	"github.com/milterscan/milterscan/tests/corpus"
)

// Open makes the mail that a MESSAGE statement names: "corpus/NAME" is a
// legitimate mail, with or without its number, "hostile/NAME" a hostile case,
// and "words TEXT" a plain text mail with these words.
func Open(source string) ([]byte, error) {
	kind, name, _ := strings.Cut(source, "/")
	if text, ok := strings.CutPrefix(source, "words "); ok {
		return words(text), nil
	}
	switch kind {
	case "corpus":
		return legitimate(name)
	case "hostile":
		return evil(name)
	}
	return nil, fmt.Errorf("MESSAGE %s: want corpus/NAME, hostile/NAME or words TEXT", source)
}

// words returns the simplest mail there is.
func words(text string) []byte {
	return []byte("From: Alice <alice@example.org>\r\nTo: Bob <bob@example.com>\r\nSubject: Words\r\nDate: Tue, 03 Mar " +
		"2026 09:15:42 +0100\r\nMessage-ID: <words@example.org>\r\n\r\n" + text + "\r\n")
}

func legitimate(name string) ([]byte, error) {
	mails, err := corpus.All()
	if err != nil {
		return nil, err
	}
	for _, m := range mails {
		_, short, _ := strings.Cut(m.Name, "-")
		if m.Name == name || short == name {
			return m.Message, nil
		}
	}
	return nil, fmt.Errorf("MESSAGE corpus/%s: there is no such mail", name)
}

func evil(name string) ([]byte, error) {
	family, _, _ := strings.Cut(name, "/")
	for _, f := range hostile.Families() {
		if f.ID != family {
			continue
		}
		for c := range f.Cases() {
			if c.Name == name && !c.Huge {
				return c.Message, nil
			}
		}
	}
	return nil, fmt.Errorf("MESSAGE hostile/%s: there is no such case, or it is too large", name)
}
