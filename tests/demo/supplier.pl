# The last of the demonstration's services (shop.py): says when more of an item comes. supplier.pl; prints its port.
use strict;
use warnings;
use IO::Socket::INET;

$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64, Timeout => 0.2) or die "supplier: $@\n";
print $server->sockport, "\n";
# Ends with whoever started it.
my $parent = getppid;
while (getppid == $parent) {
    my $client = $server->accept or next;
    local $/ = "\r\n\r\n";
    <$client>;
    my $body = '{"days":2}';
    print $client "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ", length $body, "\r\nConnection: close\r\n\r\n$body";
    close $client;
}
