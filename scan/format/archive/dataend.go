package archive

import "strings"

// skip skips the data and returns where they end.
func (s *dataSeeker) skip(quote, before byte) int64 {
	stops := " \t\r\n\"'<>)`"
	switch {
	case quote != 0:
		stops = string(quote)
	case before == '(':
		stops = " \t\r\n)\"'"
	case before == '=':
		stops = " \t\r\n>"
	case before == '>':
		stops = "<"
	}
	for {
		c, err := s.text.ReadByte()
		if err != nil {
			return s.text.at
		}
		if strings.IndexByte(stops, c) >= 0 {
			return s.text.from
		}
	}
}

// lines skips the lines of base64 that go on with data, as people and programs fold long
// addresses, and reports whether there are any, and where they end.
func (s *dataSeeker) lines(end *int64) bool {
	if next, err := s.text.in.Peek(1); err == nil && next[0] == '\n' {
		s.text.ReadByte()
	}
	begun := s.text.at
	for digitsAhead(s.text.in) {
		for c, err := s.text.ReadByte(); err == nil && c != '\n'; {
			c, err = s.text.ReadByte()
		}
	}
	*end = s.text.at
	return s.text.at > begun
}

// nextString reads on to the next string of a script and returns its quote, if all
// before it joins it to the one that just ended.
func (s *dataSeeker) nextString() byte {
	const longest = 64
	for range longest {
		c, err := s.text.ReadByte()
		switch {
		case err != nil:
			return 0
		case strings.IndexByte("\"'`", c) >= 0:
			return c
		case c > ' ' && c != '+' && c != '&' && c != '_':
			return 0
		}
	}
	return 0
}
