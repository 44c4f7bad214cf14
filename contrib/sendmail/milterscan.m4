dnl milterscan in Sendmail. Copy this file to /etc/mail/milterscan.m4, put
dnl
dnl     include(`/etc/mail/milterscan.m4')dnl
dnl
dnl into /etc/mail/sendmail.mc before the MAILER lines, and make sendmail.cf anew.
dnl contrib/sendmail/README.md explains each value; the end-to-end tests run this
dnl file.
ifdef(`MILTERSCAN_SOCKET', `', `define(`MILTERSCAN_SOCKET', `unix:/run/milterscan/milter.sock')')dnl
INPUT_MAIL_FILTER(`milterscan', `S='MILTERSCAN_SOCKET`, F=T, T=C:10s;S:30s;R:30s;E:5m')dnl
