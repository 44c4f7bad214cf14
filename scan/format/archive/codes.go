package archive

import "slices"

// Code describes one kind of note: the entry of the catalogue after
// docs/findings.md.
type Code struct {
	Code    string
	Class   Class
	About   string // one sentence for the administrator
	Example string
}

// The codes of all formats.
const (
	absoluteName      = "absolute-name"
	checksumMismatch  = "checksum-mismatch"
	damagedContainer  = "damaged-container"
	damagedMember     = "damaged-member"
	duplicateName     = "duplicate-name"
	encryptedDocument = "encrypted-document"
	encryptedMember   = "encrypted-member"
	encryptedNames    = "encrypted-names"
	encryptionLie     = "encryption-lie"
	hiddenMember      = "hidden-member"
	link              = "link"
	longName          = "long-name"
	memberTooLarge    = "member-too-large"
	methodLie         = "method-lie"
	missingMember     = "missing-member"
	nameMismatch      = "name-mismatch"
	noDirectory       = "no-directory"
	nulInName         = "nul-in-name"
	oddHeader         = "odd-header"
	openedByEarlier   = "opened-by-earlier-word"
	openedByPassword  = "opened-by-password"
	openedByWord      = "opened-by-word"
	overlapping       = "overlapping-members"
	pathEscape        = "path-escape"
	prefixed          = "prefixed"
	ratioExceeded     = "ratio"
	secondFileSystem  = "second-file-system"
	several           = "several-directories"
	sizeMismatch      = "size-mismatch"
	tooComplex        = "too-complex"
	tooManyMembers    = "too-many-members"
	tooMuchData       = "too-much-data"
	trailingData      = "trailing-data"
	unsupportedMethod = "unsupported-method"
	volume            = "volume"
	windowTooLarge    = "window-too-large"
)

// The codes of notes that are made outside of this package, by those who run a
// Walk elsewhere.
const (
	EncryptedMember = encryptedMember
	TooManyMembers  = tooManyMembers
	TooMuchData     = tooMuchData
	DecoderFailed   = "decoder-failed"
	DecoderLimit    = "decoder-limit"
	Unavailable     = "failed"
	NoReader        = "no-reader"
)

// NoteOf returns a note with the class of its code.
func NoteOf(code string, member int, detail string) Note {
	return Note{Code: code, Class: classOf(code), Member: member, Detail: detail}
}

// Codes lists every note a format of this package can make, by code.
func Codes() []Code { return slices.Clone(codes[:]) }

// classOf returns the class of a code of the list. A code that is not there counts as
// the worst: something was not read.
func classOf(code string) Class {
	i, ok := slices.BinarySearchFunc(codes[:], code, func(c Code, code string) int {
		if c.Code < code {
			return -1
		} else if c.Code > code {
			return 1
		}
		return 0
	})
	if !ok {
		return Exceeded
	}
	return codes[i].Class
}

var codes = [...]Code{
	{absoluteName, Malformed, "A member's name is an absolute path.", "/etc/passwd or C:\\autoexec.bat in a tar or zip"},
	{checksumMismatch, Malformed, "A member's bytes do not have the checksum the archive states.",
		"a zip member one byte of which was changed"},
	{damagedContainer, Unreadable, "The structure of the archive is damaged, so that not all of it could be read.",
		"a cpio archive cut off in the middle"},
	{damagedMember, Unreadable, "A member's packed data is damaged; only what comes before the damage was examined.",
		"a gzip file that lost its second half"},
	{DecoderFailed, Unreadable, "The process that reads this format died of the archive or talked nonsense; what it had " +
		"read by then was examined.", "a 7z built to crash its reader"},
	{DecoderLimit, Exceeded, "The process that reads this format was stopped because the archive made it use too much memory or time.",
		"a 7z of 150 bytes that declares 268,435,456 members"},
	{duplicateName, Ambiguous, "Two members have the same name; programs differ in which of them they unpack.",
		"invoice.pdf twice in one zip"},
	{encryptedDocument, Encrypted, "A document is protected by a password, so that what it holds could not be examined.",
		"an Office or PDF document that asks for a password"},
	{encryptedMember, Encrypted, "A member is encrypted and no known password opens it.", "a zip made with a password"},
	{encryptedNames, Encrypted, "The whole archive is encrypted, the names of its members included.", "rar -hp or 7z -mhe=on"},
	{encryptionLie, Suspicious, "A member is marked as encrypted and is not, or the reverse.",
		"a zip with the encryption flag set on clear data, which some scanners skip and some programs open"},
	{Unavailable, Unread, "This host could not read the archive now: no process, memory, descriptor or time for the child " +
		"that reads it, or the child was killed. Trying again may help.", "a 7z while no process can be made"},
	{hiddenMember, Ambiguous, "The archive holds a member its directory does not list; some programs show it.",
		"a local header in a zip without an entry in the central directory"},
	{link, Informative, "A member is a symbolic or hard link.", "a tar with a link to /etc/passwd"},
	{longName, Suspicious, "A member's name is longer than any file system allows.", "a name of 5,000 letters"},
	{memberTooLarge, Exceeded, "A member is larger than the limit for one member; the rest of it was not examined.",
		"a 3 GB file of zeros in a zip"},
	{methodLie, Suspicious, "A member's data is packed in another way than the archive says; both readings were examined.",
		"a zip member said to be stored whose data is deflated"},
	{missingMember, Unreadable, "The directory lists a member that is not there.", "a central directory whose offset points past the end"},
	{nameMismatch, Ambiguous, "A member has different names in different places of the archive.",
		"a.txt in the central directory, a.exe in the local header"},
	{noDirectory, Ambiguous, "The archive has no usable directory; members were found by their own headers.", "a zip without its end"},
	{NoReader, Unreadable, "The format is known, but nothing that reads it is built in or installed; the whole file goes to the engines.",
		"an ACE archive; a StuffIt archive where unar is not installed"},
	{nulInName, Suspicious, "A member's name holds a NUL byte, at which some programs cut it.", "a.exe, NUL, .txt"},
	{oddHeader, Malformed, "The header of a member has numbers that cannot be read; it was read without them, as the " +
		"format's own program does.", "a tar with letters where the owner's number belongs"},
	{openedByEarlier, Informative, "A member was opened with a word from an earlier message of the same sender to the same recipient, " +
		"as where the password comes in a mail of its own.", "a zip whose password was in the mail before"},
	{openedByPassword, Informative, "A member was opened with one of the configured passwords, or with one that Office " +
		"programs try by themselves.", "a zip made with the password \"infected\""},
	{openedByWord, Informative, "A member was opened with a word from the message: its sender told the password along with it, " +
		"so that no scanner on the way looks inside.", "a zip whose password is in the text of the mail"},
	{overlapping, Exceeded, "Members of the archive share their data, as in archive bombs; shared data was read once.",
		"a zip of 10 MB that unpacks to 281 TB"},
	{pathEscape, Suspicious, "A member's name climbs out of the directory it is unpacked to.", "../../etc/cron.d/x"},
	{prefixed, Informative, "The archive begins after other data, as in self-extracting programs and polyglots.",
		"a program with a zip at its end"},
	{ratioExceeded, Exceeded, "The archive unpacks to so many times its size that it is taken for a bomb; the rest was not examined.",
		"10 MB of zeros in a gzip of 10 KB"},
	{secondFileSystem, Unreadable, "A disc image has a second file system, which was not read and may show other files.",
		"an ISO 9660 image that is UDF as well"},
	{several, Ambiguous, "The archive has several directories; programs differ in which they read.", "two zips one after the other"},
	{sizeMismatch, Ambiguous, "A member is longer or shorter than the archive says; programs cut it in different places.",
		"a zip member of 4 GB in 10 bytes"},
	{tooComplex, Unreadable, "The structure of the file is more involved than is followed; not all of it was read.",
		"a PDF that packs a stream with 50 filters, one over the other"},
	{tooManyMembers, Exceeded, "There are more members than the limit allows; the rest was not examined.", "a tar of a million empty files"},
	{tooMuchData, Exceeded, "The archives of the message unpack to more than the limit; the rest was not examined.", "42.zip"},
	{trailingData, Malformed, "Data that does not belong to the archive follows it.", "a text after a gzip file"},
	{unsupportedMethod, Unreadable, "A member is packed in a way for which there is no reader.", "a zip member compressed with WavPack"},
	{volume, Unreadable, "The archive is one volume of a set; members that go on in other volumes cannot be read.", "backup.part2.rar"},
	{windowTooLarge, Exceeded, "Unpacking needs more memory than is allowed for it.", "an xz file of 60 bytes with a dictionary of 2 GB"},
}
