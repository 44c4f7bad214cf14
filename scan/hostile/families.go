package hostile

// Families returns all families, in the order of their cases.
func Families() []Family {
	return []Family{
		{"H1", "transfer encoding given twice", encodingTwice},
		{"H2", "transfer encoding as a list", encodingList},
		{"H3", "type given twice or damaged", typeTwice},
		{"H4", "boundary given twice", boundaryTwice},
		{"H5", "boundary in pieces and escapes", boundaryPieces},
		{"H6", "boundary as an encoded word", boundaryWords},
		{"H7", "comments round the boundary", boundaryComments},
		{"H8", "quotes, blanks and zeros round the boundary", boundaryQuoting},
		{"H9", "something unreadable before the boundary", parameterBefore},
		{"H10", "damaged field names", nameDamage},
		{"H11", "damaged line ends in a header", lineEnds},
		{"H12", "damaged end of a header", separators},
		{"H13", "transfer encoding in odd dress", encodingDress},
		{"H14", "transfer encoding on a composite", encodingOfComposite},
		{"H15", "names that disagree or deceive", names},
		{"H16", "odd fields on top", topFields},
		{"B17", "damaged delimiters", delimiters},
		{"B18", "attachments outside all parts", outsideParts},
		{"B19", "shared and forgotten boundaries", nesting},
		{"B20", "depth, number and length", masses},
		{"B21", "files in text, mail in pieces", wrappings},
		{"B22", "sealed mail and TNEF", sealed},
		{"D23", "damaged base64", damagedBase64},
		{"D24", "damaged quoted-printable", damagedQP},
		{"D25", "words behind a charset", charsets},
		{"A22", "everyday damage", everyday},
		{"A26", "zip files that readers disagree about", deceivingZips},
		{"A28", "mail in mail", quotedMail},
		{"A30", "the virus in every wrapping", everyWrapping},
		{"N33", "lone line ends and dots", smuggling},
	}
}
