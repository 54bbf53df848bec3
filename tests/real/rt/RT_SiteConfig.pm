# One Request Tracker on loopback whose database, mails and caches lie in $RT_HOME.
my $home = $ENV{RT_HOME};
Set($rtname, 'acme.example');
Set($Organization, 'acme.example');
Set($CorrespondAddress, 'help@acme.example');
Set($CommentAddress, 'help-comment@acme.example');
Set($Timezone, 'Asia/Tokyo');    # not ours, as times in searches are read in it
Set($WebDomain, '127.0.0.1');
Set($WebPort, $ENV{RT_PORT});
Set($DatabaseType, 'SQLite');
Set($DatabaseName, "$home/rt.db");
Set($MasonDataDir, "$home/mason");
Set($WebSessionClass, 'Apache::Session::File');
Set($MasonSessionDir, "$home/sessions");
Set($LogToSyslog, undef);
Set($LogToFile, undef);
Set($LogToSTDERR, 'warning');
Set($MailCommand, 'sendmailpipe');
Set($SendmailPath, "$home/sendmail");
Set($BcryptCost, 4);
Set($PasserelleAddress, $ENV{PASSERELLE_ADDRESS});
Set($PasserelleSecret, $ENV{PASSERELLE_SECRET});
1;
