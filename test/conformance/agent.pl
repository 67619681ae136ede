# A POSIX process that does what it is told, system call by system call: the far end of SyscallPosix.
#
# Reads lines "PROCESS COMMAND ..." and answers "PROCESS RESULT ERRNO BUFFER ...". Process 0 is there from the start.
#   P S NUMBER ARG ...   a system call. An ARG is iN (integer), sHEX (bytes in), fN,HH (N times byte HH, in),
#                        oN (room for N bytes, returned), bHEX (bytes in and returned).
#   P F                  a new process P, forked from the first one
#   P X                  process P ends
#   +TEXT                the first part of the next line; answered with "+"
# A returned buffer is HEX, or "*N,HH" for N times the same byte. The order of answers is that of the ends of the
# calls: each process works on its own. "ready" is said first, when lines are listened to.
use strict;
use warnings;

my ($in, $out) = @ARGV ? do {
    open(my $line, '+<', $ARGV[0]) or die "$ARGV[0]: $!";
    ($line, $line);
} : (\*STDIN, \*STDOUT);
binmode $in;
binmode $out;

sub hex_of {
    my ($buffer) = @_;
    my $length = length $buffer;
    return '-' if $length == 0;
    my $first = substr($buffer, 0, 1);
    return "*$length," . unpack('H2', $first) if $length > 8 && $buffer eq $first x $length;
    return unpack('H*', $buffer);
}

sub call {
    my ($number, @words) = @_;
    my (@arguments, @returned);
    for my $word (@words) {
        my ($kind, $rest) = (substr($word, 0, 1), substr($word, 1));
        my $value;
        if ($kind eq 'i') { $value = $rest + 0 }
        elsif ($kind eq 'f') { my ($n, $byte) = split /,/, $rest; $value = pack('H2', $byte) x $n }
        elsif ($kind eq 'o') { $value = "\0" x ($rest || 1) }
        else { $value = pack('H*', $rest); $value .= "\0" if $value eq '' }
        push @arguments, $value;
        push @returned, $#arguments if $kind eq 'o' || $kind eq 'b';
    }
    $! = 0;
    # The arguments have to be the array's own elements: buffers are filled in place.
    my $result = $number == -1 ? -1
        : @arguments == 0 ? syscall($number)
        : @arguments == 1 ? syscall($number, $arguments[0])
        : @arguments == 2 ? syscall($number, $arguments[0], $arguments[1])
        : @arguments == 3 ? syscall($number, $arguments[0], $arguments[1], $arguments[2])
        : @arguments == 4 ? syscall($number, $arguments[0], $arguments[1], $arguments[2], $arguments[3])
        : @arguments == 5 ? syscall($number, @arguments[0 .. 4])
        : syscall($number, @arguments[0 .. 5]);
    my $errno = $result == -1 ? $! + 0 : 0;
    return join ' ', $result, $errno, map { hex_of($arguments[$_]) } @returned;
}

# One process: lines from a pipe, answers to the common one (whole lines below PIPE_BUF are atomic; longer ones are
# kept whole by a lock on the pipe's file).
sub serve {
    my ($number, $from, $to) = @_;
    while (defined(my $line = <$from>)) {
        chomp $line;
        my ($command, @words) = split / /, $line;
        last if $command eq 'X';
        my $answer = "$number " . call(@words) . "\n";
        syswrite($to, pack('N', length $answer) . $answer);
    }
}

my %pipe;       # process number => its input
my %buffer;     # what has come of answers, by file number
my %source;     # answer pipes
my $children = 0;

sub start {
    my ($number) = @_;
    pipe(my $command_read, my $command_write) or die "pipe: $!";
    pipe(my $answer_read, my $answer_write) or die "pipe: $!";
    my $pid = fork();
    die "fork: $!" unless defined $pid;
    if ($pid == 0) {
        close $_ for $command_write, $answer_read, values %pipe, values %source;
        close $in if fileno($in) > 2;
        binmode $command_read;
        binmode $answer_write;
        serve($number, $command_read, $answer_write);
        exit 0;
    }
    close $command_read;
    close $answer_write;
    select((select($command_write), $| = 1)[0]);
    $pipe{$number} = $command_write;
    $source{fileno $answer_read} = $answer_read;
    $buffer{fileno $answer_read} = '';
}

sub say_line { my ($line) = @_; my $at = 0; while ($at < length $line) { $at += syswrite($out, $line, 4096, $at) // die "write: $!" } }

$SIG{CHLD} = 'IGNORE';
$SIG{PIPE} = 'IGNORE';
start(0);
say_line("ready\n");
my ($pending, $held) = ('', '');
while (1) {
    my $bits = '';
    vec($bits, fileno $in, 1) = 1;
    vec($bits, $_, 1) = 1 for keys %source;
    select($bits, undef, undef, undef) < 0 and next;
    for my $fd (keys %source) {
        next unless vec($bits, $fd, 1);
        my $got = sysread($source{$fd}, $buffer{$fd}, 1 << 20, length $buffer{$fd});
        if (!$got) { delete $source{$fd}; delete $buffer{$fd}; next }
        while (length $buffer{$fd} >= 4) {
            my $length = unpack('N', $buffer{$fd});
            last if length $buffer{$fd} < 4 + $length;
            say_line(substr($buffer{$fd}, 4, $length));
            substr($buffer{$fd}, 0, 4 + $length) = '';
        }
    }
    next unless vec($bits, fileno $in, 1);
    my $got = sysread($in, $pending, 1 << 16, length $pending);
    last unless $got;
    while ((my $end = index($pending, "\n")) >= 0) {
        my $line = substr($pending, 0, $end);
        substr($pending, 0, $end + 1) = '';
        $line =~ s/\r\z//;
        next if $line eq '';
        if ($line =~ s/\A\+//) { $held .= $line; say_line("+\n"); next }
        $line = $held . $line;
        $held = '';
        my ($number, $rest) = split / /, $line, 2;
        if ($rest eq 'F') { start($number); say_line("$number 0 0\n") }
        elsif (!$pipe{$number}) { say_line("$number -1 3\n") }
        elsif ($rest eq 'X') { my $to = delete $pipe{$number}; print $to "X\n"; close $to; say_line("$number 0 0\n") }
        else { print { $pipe{$number} } "$rest\n" }
    }
}
