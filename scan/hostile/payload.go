package hostile

import "strings"

// EICAR returns the test string of the European Institute for Computer Antivirus
// Research: 68 harmless bytes that every virus scanner reports. It is put
// together here so that no scanner takes this source, or a program built from
// it, for infected.
func EICAR() []byte {
	return []byte(strings.Join([]string{`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR`, "STANDARD", "ANTIVIRUS", "TEST", `FILE!$H+H*`}, "-"))
}

// Marker returns harmless bytes that no scanner knows until a test puts their hash on
// a list.
func Marker() []byte {
	return []byte("milterscan harmless marker: " + strings.Repeat("0123456789abcdef", 8) + "\n")
}

// DeniedName is a file name that any filter refuses.
const DeniedName = "payload.exe"

// Lure is the link a text case shows, for scanners that look at words.
const Lure = "http://payload.example/lure"

func virus() Payload { return Payload{Content: EICAR()} }

func named(name string) Payload { return Payload{Name: name} }

func worded(text string) Payload { return Payload{Text: text} }
