package document

import (
	"fmt"
	"strings"

	"github.com/milterscan/milterscan/scan/units"
)

// Config is the section [document] of the configuration.
type Config struct {
	// Procedures that run without being asked for, when a document is opened,
	// closed or shown. "*" matches any letters, digits and underscores.
	AutoRun []string `toml:"auto_run"`
	// Functions and objects that make a macro that runs by itself suspicious; one
	// is enough. They are looked for in the code, not in its strings, as whole
	// words.
	Calls []string `toml:"calls"`
	// The same for words anywhere in the strings of macros, once strings that
	// were cut up or written in character codes are put together.
	Texts []string `toml:"texts"`
	// Words that harmless macros use, too; two different ones make a macro that
	// runs by itself suspicious. They are looked for in the code.
	Hints []string `toml:"hints"`
	// The hosts templates and objects may be loaded from, ".example.com" for a
	// domain and all below it. Documents made from a template on a server name it.
	TrustedHosts []string `toml:"trusted_hosts"`
	// What the compressed macros, actions and scripts in the documents of one
	// message may unpack to.
	MaxUnpacked units.Size `toml:"max_unpacked"`
}

// DefaultConfig returns the shipped configuration.
func DefaultConfig() Config {
	return Config{
		AutoRun:     strings.Fields(autoRun),
		Calls:       strings.Fields(calls),
		Texts:       lines(texts),
		Hints:       strings.Fields(hints),
		MaxUnpacked: 64 * units.MB,
	}
}

// Check finds what cannot be meant.
func (c Config) Check() error {
	var check units.Check
	check.If(c.MaxUnpacked < 64*units.KB, "max_unpacked", "%v is too little; write at least \"64KB\"", c.MaxUnpacked)
	for key, list := range map[string][]string{
		"auto_run": c.AutoRun, "calls": c.Calls, "texts": c.Texts, "hints": c.Hints, "trusted_hosts": c.TrustedHosts,
	} {
		for i, w := range list {
			check.If(strings.Trim(w, " *.") == "", fmt.Sprintf("%s[%d]", key, i), "%q would match anything; write a word", w)
		}
	}
	return check.Err()
}

func lines(text string) []string {
	var all []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			all = append(all, l)
		}
	}
	return all
}

// autoRun are the procedures that Office runs by itself, and events of controls
// that fire without a click.
const autoRun = `
	AutoOpen AutoExec AutoNew AutoClose AutoExit
	Auto_Open Auto_Close Auto_Add Auto_Remove Auto_Activate Auto_Deactivate Auto_Exec Auto_ShowBegin Auto_NextSlide Auto_ShowEnd
	Document_Open Document_New Document_Close Document_BeforeClose Document_Change Document_ContentControlOnEnter
	DocumentOpen DocumentChange DocumentBeforeClose NewDocument
	Document_DocumentOpened Document_DocumentCreated Document_DocumentSaved Document_BeforeDocumentClose Document_BeforeDocumentSave
	Document_RunModeEntered Document_DesignModeEntered
	*_DocumentOpened *_DocumentCreated *_BeforeDocumentClose *_RunModeEntered
	Project_Open Project_Activate Project_Deactivate Project_BeforeClose Project_BeforeSave Project_Calculate
	*_ProjectBeforeClose *_ProjectCalculate *_NewProject *_WindowActivate *_WindowDeactivate
	Workbook_Open Workbook_Activate Workbook_Deactivate Workbook_BeforeClose Workbook_WindowActivate Workbook_AddinInstall
	Workbook_WindowDeactivate Workbook_AddinUninstall Workbook_BeforeSave Workbook_AfterSave Workbook_BeforePrint Workbook_NewSheet
	Workbook_SheetActivate Workbook_SheetDeactivate Workbook_SheetCalculate Workbook_WindowResize
	Workbook_Sync Workbook_RowsetComplete Workbook_ModelChange
	Worksheet_Activate Worksheet_Deactivate Worksheet_Calculate Chart_Activate Chart_Calculate
	Presentation_Open Presentation_Close SlideShowBegin SlideShowNextSlide SlideShowEnd
	OnSlideShowPageChange OnSlideShowTerminate
	UserForm_Initialize UserForm_Activate UserForm_Layout UserForm_Terminate
	Form_Open Form_Load Form_Current Form_Activate Form_Timer Form_Unload Form_Close Report_Open Report_Load Report_Activate Report_Page
	Application_Startup Application_Quit Application_NewMail Application_NewMailEx Application_ItemSend Application_Reminder
	Application_MAPILogonComplete App_DocumentOpen App_WorkbookOpen App_NewWorkbook App_PresentationOpen
	*_DocumentOpen *_WorkbookOpen *_WorkbookActivate *_PresentationOpen *_AfterPresentationOpen *_AfterNewPresentation *_SlideShowBegin
	*_Painted *_Painting *_GotFocus *_LostFocus *_MouseHover *_Resize *_Layout
	*_BeforeNavigate2 *_NavigateComplete2 *_DocumentComplete *_DownloadBegin *_DownloadComplete *_FileDownload
	*_ProgressChange *_TitleChange *_StatusTextChange *_OnConnecting *_OnDisconnected`

// calls are functions and objects by which macros reach beyond the document.
const calls = `
	Shell ShellExecute ShellExecuteA ShellExecuteW URLDownloadToFile URLDownloadToFileA URLDownloadToFileW
	WinExec CreateProcess CreateProcessA CreateProcessW CreateThread CreateRemoteThread QueueUserAPC
	VirtualAlloc VirtualAllocEx VirtualProtect WriteProcessMemory RtlMoveMemory NtAllocateVirtualMemory HeapCreate EnumSystemLanguageGroupsW
	InternetOpenUrl InternetOpenUrlA InternetReadFile HttpSendRequest LoadLibrary LoadLibraryA GetProcAddress
	MacScript AppleScriptTask popen ExecuteExcel4Macro
	SaveToFile ResponseBody RegWrite ExecQuery Exec
	AddFromString InsertLines AccessVBOM VBProject`

// texts are programs, objects and addresses that appear in strings.
const texts = `
	powershell
	cmd.exe
	cmd /c
	cmd /k
	mshta
	wscript
	cscript
	rundll32
	regsvr32
	certutil
	bitsadmin
	msiexec
	wmic
	winmgmts
	Win32_Process
	Shell.Application
	Schedule.Service
	MSXML2.
	Microsoft.XMLHTTP
	WinHttp.
	ADODB.Stream
	ScriptControl
	InternetExplorer.Application
	htmlfile
	C08AFD90-F2A1-11D1-8455-00A0C91F3880
	9BA05972-F6A8-11CF-A442-00A0C90A8F39
	urlmon
	wininet
	ShellExecute
	URLDownloadToFile
	/bin/sh
	/bin/bash
	osascript
	curl http
	-EncodedCommand
	FromBase64String
	DownloadString
	DownloadFile
	Invoke-Expression`

// hints are things that harmless macros use too. CreateObject and GetObject
// count where the object is not one of the usual ones.
const hints = `
	CreateObject GetObject CallByName Environ Declare Kill FileCopy SetAttr SendKeys
	StrReverse Xor Chr Put CreateTextFile CopyFile DeleteFile FollowHyperlink WebBrowser`
