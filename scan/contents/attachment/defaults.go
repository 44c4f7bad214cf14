package attachment

import "strings"

// group is a list of extensions with one reason.
type group struct{ why, extensions string }

// denied are the extensions that are refused as attachments: what Outlook and
// Gmail refuse, and what has the same effect. Not among them is what people send
// each other for good: certificates (cer crt der), cabinets, whose members are
// judged by themselves, sources in Python, and MATLAB's data (mat).
var denied = [...]group{
	{"programs and what installs them", `
		exe com scr pif cpl msi msp mst msu ocx vxd appimage app apk snap msix msixbundle appx appxbundle appinstaller application appref-ms
		ppkg jar jnlp gadget isp nsh ex_ xbap`},
	{"scripts that run with a double click, and their parts", `
		bat cmd vb vbs vbe js jse mjs ws wsf wsh wsc sct hta htc asp aspx bas vbp prg ksh csh pl pyw pyc pyo pyz pyzw a3x ahk command
		ps1 ps1xml ps2 ps2xml psm1 psc1 psc2 psd1 psdm1 msh msh1 msh2 mshxml msh1xml msh2xml fxp`},
	{"what starts programs, or tells Windows to", `
		lnk scf reg msc pcd osd ops cnt hlp hpj chm grp udl asx bgi mcf xnk plg shb shs vsmacros vsw webpnp printerexport website webloc
		fileloc inetloc settingcontent-ms search-ms searchconnector-ms library-ms diagcab diagcfg diagpkg theme themepack deskthemepack wsb`},
	{"databases and add-ins of Office, whose code runs when they are opened", `
		ade adp accde mda mdb mde mdt mdw mdz pst xll xlam wll ani`},
	{"files that Excel takes for questions to a server, or for formulas", `slk iqy oqy dqy rqy`},
	{"what hides files from the mark of foreign ones, or from scanners", `
		iso img vhd vhdx udf wim dmg ace one onepkg mhtml`},
}

// oldNoise are extensions that were dangerous once and that people no longer send
// on purpose.
const oldNoise = `
	inf ins job prf cnf its rdp desktop url dll sys lib mht
	mad maf mag mam maq mar mas mau mav maw`

// deniedMembers are the extensions that are refused inside archives: what runs
// with a double click. Sources and drivers may have all the others.
const deniedMembers = `
	exe com scr pif bat cmd cpl msi msp msu appinstaller ppkg msix msixbundle appx appxbundle application xbap gadget diagcab
	vbs vbe js jse wsf wsh wsc ws hta sct jar jnlp ps1 psm1 a3x ahk command
	lnk scf shb shs appref-ms settingcontent-ms search-ms searchconnector-ms library-ms msc wsb themepack deskthemepack fileloc inetloc
	xll wll ade accde mde iqy oqy dqy rqy slk
	iso img vhd vhdx udf wim`

// macroCapable are the extensions of office documents that may hold macros.
const macroCapable = `docm dotm xlsm xltm xlsb pptm potm ppsm ppam sldm`

// pages are the extensions that make a double one after that of a document, as
// the denied ones do.
const pages = `html htm shtml xhtml xht`

// documents are the extensions that people take for harmless.
const documents = `
	pdf doc docx docm dot dotx rtf odt txt xls xlsx xlsm csv ods ppt pptx pps odp
	jpg jpeg png gif bmp tif tiff webp heic mp3 mp4 m4a wav avi mov mpg mpeg`

// sources are the extensions of scripts that people send as such. None runs with a
// double click on a system as it is delivered; whether one begins with the path of
// its program makes no difference.
const sources = `sh bash zsh fish py rb lua tcl awk sed php r jl raku groovy scala exs t bats cgi`

// libraries are the extensions of parts of programs that do not run by
// themselves, as drivers and sources have them.
const libraries = `dll sys ocx drv mui ax tlb acm ime nls so o ko a obj lib dylib efi rll cat node pyd`

// deniedList returns all of denied.
func deniedList() string {
	var all []string
	for _, g := range denied {
		all = append(all, g.extensions)
	}
	return strings.Join(all, " ")
}

func patterns(list string) []Pattern {
	var p []Pattern
	for _, w := range strings.Fields(list) {
		p = append(p, Pattern(w))
	}
	return p
}

// set returns a list of extensions to look up.
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
	sourceExtensions   = set(sources)
)
