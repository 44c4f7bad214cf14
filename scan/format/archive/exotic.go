package archive

import "context"

// exoticFormat is a format that is recognised and not read here. A program of
// its own may read it; without one the container stays shut, and says so.
type exoticFormat struct {
	name     string
	helped   bool  // unar reads it
	at       int64 // place of the mark, which is one of marks
	marks    []string
	endingAt int64                             // place of the mark from the end, if not 0
	shaped   func(head []byte, c Content) bool // instead of a mark, if not nil
}

// exotics lists them. Where nothing else is said the mark is at the beginning.
var exotics = [...]exoticFormat{
	{name: "stuffit", helped: true, marks: []string{"SIT!", "ST46", "ST50", "ST60", "ST65", "STin", "STi2", "STi3", "STi4",
		"StuffIt (c)1997-"}},
	{name: "stuffitx", helped: true, marks: []string{"StuffIt!", "StuffIt?"}},
	{name: "zoo", helped: true, at: 20, marks: []string{"\xdc\xa7\xc4\xfd"}},
	{name: "alz", helped: true, marks: []string{"ALZ\x01"}},
	{name: "xar", helped: true, marks: []string{"xar!\x00"}},
	{name: "lzx", helped: true, marks: []string{"LZX\x00"}},
	{name: "warc", helped: true, marks: []string{"WARC/0.", "WARC/1."}},
	{name: "ace", at: 7, marks: []string{"**ACE**"}},
	{name: "egg", marks: []string{"EGGA\x00\x01"}},
	{name: "freearc", marks: []string{"ArC\x01"}},
	{name: "zpaq", marks: []string{"7kSt", "zPQ\x01", "zPQ\x02"}},
	{name: "lrzip", marks: []string{"LRZI"}},
	{name: "wim", marks: []string{"MSWIM\x00\x00\x00"}},
	{name: "vhdx", marks: []string{"vhdxfile"}},
	{name: "vhd", marks: []string{"conectix"}, endingAt: 512},
	{name: "vmdk", marks: []string{"KDMV\x01\x00\x00\x00", "KDMV\x03\x00\x00\x00"}},
	{name: "qcow", marks: []string{"QFI\xfb"}},
	{name: "vdi", at: 64, marks: []string{"\x7f\x10\xda\xbe"}},
	{name: "dmg", marks: []string{"koly\x00\x00\x00\x04"}, endingAt: 512},
	{name: "squashfs", marks: []string{"hsqs", "sqsh"}},
	{name: "arc", helped: true, shaped: isARC},
	{name: "udf", shaped: isUDF},
	{name: "disk", shaped: isFileSystem},
	{name: "chm", marks: []string{"ITSF\x03\x00\x00\x00"}},
	{name: "sis", at: 8, marks: []string{"\x19\x04\x00\x10"}},
	{name: "sisx", marks: []string{"\x7a\x1a\x20\x10"}},
	{name: "installshield", marks: []string{"ISc("}},
	{name: "kwaj", marks: []string{"KWAJ\x88\xf0\x27\xd1"}},
	{name: "pst", marks: []string{"!BDN"}},
}

// longestMark is the length of the longest mark that is near an end.
const longestMark = 8

func (f *exoticFormat) Name() string { return f.name }

func (f *exoticFormat) Match(head []byte, c Content) bool {
	if f.shaped != nil {
		return f.shaped(head, c)
	}
	if f.endingAt == 0 {
		return int64(len(head)) > f.at && hasAny(head[f.at:], f.marks...)
	}
	return hasAny(piece(c, c.Size()-f.endingAt, longestMark), f.marks...)
}

// Walk reads nothing.
func (f *exoticFormat) Walk(ctx context.Context, c Content, b *Budget, visit Visit) ([]Note, error) {
	w := begin(ctx, c, b, visit)
	w.note(NoReader, "%s", f.name)
	return w.end(ctx.Err())
}

// Helped reports whether the program unar may read a format that this package
// only recognises.
func Helped(f Format) bool {
	e, ok := f.(*exoticFormat)
	return ok && e.helped
}
