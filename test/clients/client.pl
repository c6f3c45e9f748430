# An MT5 Web API client from the protocol document alone, with Perl's core modules; TLS is openssl's, on a pipe.
use strict;
use warnings;
use utf8;
use Digest::MD5 qw(md5 md5_hex);
use Encode qw(encode);
use IPC::Open2;
use JSON::PP;

my ($host, $port) = @ARGV;
my $json = JSON::PP->new->utf8->canonical;
my $pid = open2(my $in, my $out, 'openssl', 's_client', '-quiet', '-connect', "$host:$port");
binmode $_, ':raw' for $in, $out;
$out->autoflush(1);

sub encoded { my $text = encode('UTF-8', shift); $text =~ s/([^A-Za-z0-9_.~-])/sprintf '%%%02X', ord $1/ge; $text }

sub ask {
    my ($path, $query, $body) = @_;
    my $target = "/api/$path" . ($query ? '?' . join '&', map { encoded($_) . '=' . encoded($query->{$_}) } sort keys %$query : '');
    my $content = defined $body ? $json->encode($body) : '';
    my $method = defined $body ? 'POST' : 'GET';
    print $out "$method $target HTTP/1.1\r\nHost: $host:$port\r\nConnection: keep-alive\r\nContent-Length: " . length($content) . "\r\n\r\n$content";
    my $status = (split / /, scalar <$in>)[1];
    my $length = 0;
    while (my $line = <$in>) {
        last if $line eq "\r\n";
        $length = $1 if $line =~ /^content-length:\s*(\d+)/i;
    }
    my $text = '';
    while (length $text < $length) { read $in, $text, $length - length $text, length $text or die 'the connection broke' }
    return $status, $text =~ /^\{/ ? $json->decode($text) : {};
}

sub answer {
    my ($status, $reply) = ask(@_);
    die "$_[0]: $status " . $json->encode($reply) unless ($reply->{retcode} // '') =~ /^0 /;
    return $reply->{answer} // $reply;
}

my $secret = md5(md5(encode('UTF-16LE', 'Password1')) . 'WebAPI');
my $start = answer('auth/start', { version => 484, agent => 'perl', login => 1000, type => 'manager' });
my $mine = join '', map { chr int rand 256 } 1 .. 16;
my $finish = answer('auth/answer', { srv_rand_answer => md5_hex($secret . pack 'H*', $start->{srv_rand}), cli_rand => unpack 'H*', $mine });
die 'the server does not know the password' unless $finish->{cli_rand_answer} eq md5_hex($secret . $mine);

sub deal {
    my $id = answer('dealer/send_request', undef, shift)->{id};
    while (1) {
        for my $event (@{ answer('dealer/get_request_result', { id => $id })->{$id} }) {
            return $event->{answer} if $event->{answer};
        }
        select undef, undef, undef, 0.02;
    }
}

my $tick = answer('tick/last', { symbol => 'EURUSD', trans_id => 0 })->[0];
my %order = (Action => '200', Login => '1001', Symbol => 'EURUSD', Volume => '100', TypeFill => '0', Type => '0', Digits => '5');
my $opened = deal({ %order, PriceOrder => $tick->{Ask} });
my $closed = deal({ %order, Type => '1', PriceOrder => $tick->{Bid}, Position => $opened->{Position} });
my $client = answer('client/add', undef, { PersonName => 'Ада', PersonLastName => 'Perl' });
my $before = answer('user/get', { login => 1090 });
my $updated = answer('user/update', undef, { Login => '1090', Comment => 'perl' });
my %ever = (login => 1001, from => 0, to => 4102444800);
my $group = answer('user/group', { login => 1001 });
print $json->encode({
    group => $group->{group} // $group->{Group},
    users => answer('user/total')->{total},
    marginInitialBuy => answer('symbol/get', { symbol => 'EURUSD' })->{MarginInitialBuy},
    opened => (split / /, $opened->{ResultRetcode})[0],
    closed => (split / /, $closed->{ResultRetcode})[0],
    client => answer('client/get', { id => $client->{RecordID} })->[0]{PersonName},
    kept => $updated->{Name} eq $before->{Name} && $updated->{Comment} eq 'perl' ? JSON::PP::true : JSON::PP::false,
    all => @{ answer('deal/get_page', { %ever, offset => 0, total => 0 }) } == answer('deal/get_total', \%ever)->{total} ? JSON::PP::true : JSON::PP::false,
    unknown => (ask('none/such'))[0] + 0,
}), "\n";
answer('quit');
close $out;
waitpid $pid, 0;
