# Statements by DBD::mysql, which prepares at the server and fetches by the C library.
use strict;
use DBI;
my $c = DBI->connect("DBI:mysql:database=shop;host=127.0.0.1;port=$ARGV[0];mysql_server_prepare=1;mysql_ssl=$ARGV[1];mysql_ssl_optional=$ARGV[1]", "perl", "", { RaiseError => 1, PrintError => 0 });
for my $i (1 .. 5) {
    my $s = $c->prepare("SELECT a, b FROM t WHERE a < ?");
    $s->execute($_) && $s->fetchall_arrayref for (1, 10, 50);
    $c->do("UPDATE t SET b = ? WHERE a = ?", undef, "p$i", $i);
    eval { $c->do("INSERT INTO t VALUES (1, 'duplicate')"); 1 } or print "INSERT ", $c->err, "\n";
}
$c->do("INSERT INTO t VALUES (?, ?)", undef, 9000, "x" x 60000);
$c->disconnect;
