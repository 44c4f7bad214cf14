package unpack

import (
	"github.com/milterscan/milterscan/scan"
	"github.com/milterscan/milterscan/scan/format/archive"
	"github.com/milterscan/milterscan/scan/format/entity"
)

// notes are the findings of opening itself, in addition to those of the parser and
// the archive readers.
var notes = [...]scan.Rule{
	{Name: "archive/depth", Kind: scan.Unscannable,
		About: "More archives stand inside each other than are opened; the innermost was not examined."},
	{Name: "archive/limit", Kind: scan.Unscannable,
		About: "The archives of the message hold more than may be unpacked; the rest was not examined."},
	{Name: "mime/charset-unknown", Kind: scan.Unscannable,
		About: "A page is in a charset that is not known, and shows no tags without it; its text and links were not examined."},
	{Name: "mime/decoded-size", Kind: scan.Unscannable,
		About: "The parts of the message hold more than may be decoded; the rest was not examined."},
	{Name: "mime/encrypted", Kind: scan.Unscannable, About: "The message or a part of it is encrypted with OpenPGP or S/MIME."},
	{Name: "mime/external-body", Kind: scan.Unscannable,
		About: "The content is not in the message but to be fetched from elsewhere (RFC 2046, section 5.2.3)."},
	{Name: "mime/failed", Kind: scan.Failed, About: "There was no room or no time to open the message; trying again may help."},
	{Name: "mime/message-size", Kind: scan.Unscannable, About: "The message is larger than the limit; only its beginning was examined."},
	{Name: scan.MoreFindings, Kind: scan.Note,
		About: "There were more findings of one rule than are kept; none of these was the only one about its part."},
	{Name: "mime/names-size", Kind: scan.Unscannable,
		About: "The names of all parts together are longer than is kept; the others were cut in their middle."},
	{Name: "mime/nesting", Kind: scan.Unscannable, About: "More messages stand inside each other than are opened."},
	{Name: "mime/not-edited", Kind: scan.Note, About: "An edit that a rule asks for could not be made; what the rule says for that was done."},
	{Name: "mime/not-kept", Kind: scan.Failed, About: "A copy that a rule asks for could not be kept."},
	{Name: "mime/partial", Kind: scan.Unscannable,
		About: "A piece of a message that was sent in several (RFC 2046, section 5.2.2); the others were not seen."},
	{Name: "mime/time", Kind: scan.Unscannable, About: "Opening the message takes more work than is done for one; the rest was not examined."},
	{Name: "mime/too-many-parts", Kind: scan.Unscannable,
		About: "The message has more parts than are examined, members of archives included."},
	{Name: "mime/uneditable", Kind: scan.Note,
		About: "The message can be read in more than one way, or was not read to its end, so that no edit can be made of it. " +
			"Only where rules edit."},
}

// Catalogue lists every rule that opening a message can report: those of the
// parser, of the archive readers, and of this package.
func Catalogue() []scan.Rule {
	all := append([]scan.Rule(nil), notes[:]...)
	for _, c := range entity.Codes() {
		all = append(all, scan.Rule{Name: "mime/" + c.Code, Kind: kindOf(c.Class), About: c.About})
	}
	for _, c := range archive.Codes() {
		all = append(all, scan.Rule{Name: "archive/" + c.Code, Kind: kindOfNote(c.Class), About: c.About})
	}
	return all
}
