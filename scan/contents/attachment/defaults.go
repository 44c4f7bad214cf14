package attachment

import "strings"

// denied are the extensions that are refused as attachments: programs, scripts,
// what starts them, and what hides them from the mark of foreign files.
const denied = `
	exe com scr pif bat cmd cpl msi msp mst ocx vxd appimage
	vbs vbe vb js jse mjs wsf wsh wsc ws hta sct jar jnlp
	ps1 ps1xml ps2 ps2xml psm1 psc1 psc2 psd1 msh msh1 msh2 mshxml msh1xml msh2xml
	reg scf lnk chm hlp appref-ms application gadget settingcontent-ms search-ms searchconnector-ms library-ms diagcab
	msix msixbundle appx appxbundle
	xll xlam wll slk iqy oqy dqy
	iso img vhd vhdx udf wim ace
	one onepkg mhtml
	ade adp mda mde mdz pst shb shs vsmacros xnk isp ani pyz xbap website`

// oldNoise are extensions that were dangerous once and that nobody sends on
// purpose now.
const oldNoise = `
	inf ins job prf cnf its rdp desktop url dll sys mht
	mad maf mag mam maq mar mas mat mau mav maw`

// deniedMembers are the extensions that are refused inside archives: what runs
// with a double click. Sources and drivers may have all the others.
const deniedMembers = `
	exe com scr pif bat cmd cpl msi msp
	vbs vbe js jse wsf wsh wsc ws hta sct jar jnlp ps1 psm1
	lnk appref-ms settingcontent-ms search-ms library-ms
	xll
	iso img vhd vhdx udf wim`

// macroCapable are the extensions of office documents that may hold macros.
const macroCapable = `docm dotm xlsm xltm xlsb pptm potm ppsm ppam sldm`

// pages are the extensions that make a double one behind that of a document, as
// the denied ones do.
const pages = `html htm shtml xhtml xht`

// documents are the extensions that people take for harmless.
const documents = `
	pdf doc docx docm dot dotx rtf odt txt xls xlsx xlsm csv ods ppt pptx pps odp
	jpg jpeg png gif bmp tif tiff webp heic mp3 mp4 m4a wav avi mov mpg mpeg`

// libraries are the extensions of parts of programs that do not run by
// themselves, as drivers and sources have them.
const libraries = `dll sys ocx drv mui ax tlb acm ime nls so o ko a obj lib dylib efi rll cat node pyd`

func patterns(list string) []Pattern {
	var p []Pattern
	for _, w := range strings.Fields(list) {
		p = append(p, Pattern(w))
	}
	return p
}

// set is a list of extensions to look up.
func set(list string) map[string]bool {
	s := map[string]bool{}
	for _, w := range strings.Fields(list) {
		s[w] = true
	}
	return s
}

var (
	pageExtensions     = set(pages)
	documentExtensions = set(documents)
	libraryExtensions  = set(libraries)
)
