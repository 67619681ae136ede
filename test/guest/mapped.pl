# Files as memory, in a guest: maps files and does what it is told, through plain system calls of x86-64.
#
#   cat FILE                     prints a file as its mapping shows it
#   steps FILE STEP ...          maps LENGTH bytes for reading and writing (first step "map:LENGTH"), then one after the
#                                other: get:OFFSET:LENGTH  put:OFFSET:TEXT  write:OFFSET:TEXT  append:TEXT  read:OFFSET:LENGTH
#                                truncate:SIZE  sync  fsync  size  sleep:MS  run:COMMAND
#   time read FILE               reads it from start to end, twice
#   time scan FILE               the same through a mapping
#   time dirty FILE              stores one byte into each page through a mapping; again; msync; and again
#   time fill FILE               stores into every byte through a mapping, and msync
#   time small FOLDER            makes 500 files of a page there; lists, reads and removes them
#                                `time` prints a line for each step: its name and its seconds
#   hold FILE ...                maps all of them and loads from each
#   words SECONDS SEED FILE ...  loads and reads from anywhere: each 8 bytes must be the file's letter and their own
#                                place in it
#   stores SECONDS SEED FILE ... the same, and stores what is there already: what goes astray is then a bad word
use strict;
use warnings;

$| = 1;
my ($READ, $MMAP, $MSYNC, $FSYNC, $PREAD, $READV) = (0, 9, 26, 74, 17, 19);
my ($PROT_READ, $PROT_WRITE, $MAP_SHARED) = (1, 2, 1);
my ($O_RDONLY, $O_RDWR) = (0, 2);
my $PAGE = 4096;

sub opened { my ($file, $how) = @_; sysopen(my $handle, $file, $how) or die "open $file: $!\n"; return $handle }
sub size_of { return (stat $_[0])[7] }

sub mapped {
    my ($handle, $length, $protection) = @_;
    my $address = syscall($MMAP, 0, $length, $protection, $MAP_SHARED, fileno $handle, 0);
    die "mmap: $!\n" if $address == -1;
    return $address;
}

sub bytes_at { my ($address, $length) = @_; return unpack("P$length", pack('Q', $address)) }

# A store that is made by the kernel for us: the page is faulted in and dirtied as by one of our own.
sub store {
    my ($address, $text) = @_;
    pipe(my $from, my $to) or die "pipe: $!\n";
    syswrite($to, $text);
    my $got = syscall($READ, fileno $from, $address + 0, length $text);
    die "store: $!\n" if $got != length $text;
}

my ($command, @words) = @ARGV;
if ($command eq 'cat') {
    my $handle = opened($words[0], $O_RDONLY);
    my $length = size_of($handle);
    exit 0 if $length == 0;
    my $address = mapped($handle, $length, $PROT_READ);
    for (my $at = 0; $at < $length; $at += 1 << 20) {
        my $part = $length - $at < 1 << 20 ? $length - $at : 1 << 20;
        print bytes_at($address + $at, $part);
    }
} elsif ($command eq 'steps') {
    my ($file, @steps) = @words;
    my $handle = opened($file, $O_RDWR);
    my $address = 0;
    for my $step (@steps) {
        my ($what, $one, $two) = split /:/, $step, 3;
        if ($what eq 'map') { $address = mapped($handle, $one + 0, $PROT_READ | $PROT_WRITE) }
        elsif ($what eq 'get') { print bytes_at($address + $one, $two) =~ s/\0/./gr, "\n" }
        elsif ($what eq 'put') { store($address + $one, $two) }
        elsif ($what eq 'write') { sysseek($handle, $one, 0); syswrite($handle, $two) // die "write: $!\n" }
        elsif ($what eq 'append') { sysseek($handle, 0, 2); syswrite($handle, $one) // die "append: $!\n" }
        elsif ($what eq 'read') { sysseek($handle, $one, 0); my $text = ''; sysread($handle, $text, $two) // die "read: $!\n"; print $text =~ s/\0/./gr, "\n" }
        elsif ($what eq 'truncate') { truncate($handle, $one) or die "truncate: $!\n" }
        elsif ($what eq 'sync') { syscall($MSYNC, $address, $PAGE * int((size_of($handle) + $PAGE - 1) / $PAGE), 4) == 0 or die "msync: $!\n" }
        elsif ($what eq 'fsync') { syscall($FSYNC, fileno $handle) == 0 or die "fsync: $!\n" }
        elsif ($what eq 'size') { print size_of($handle), "\n" }
        elsif ($what eq 'sleep') { select(undef, undef, undef, $one / 1000) }
        elsif ($what eq 'run') { system('/bin/sh', '-c', $one) == 0 or die "$one: status $?\n" }
        else { die "no such step: $step\n" }
    }
} elsif ($command eq 'time') {
    my ($what, $file) = @words;
    my $small = $what eq 'small';
    my $handle = opened($file, $small ? $O_RDONLY : $O_RDWR);
    my $length = $small ? 0 : size_of($handle);
    my $zero = opened('/dev/zero', $O_RDONLY);
    my $step = 1 << 20;
    my $buffer = "\0" x $step;
    my $address = $small || $what eq 'read' ? 0 : mapped($handle, $length, $PROT_READ | $PROT_WRITE);
    # The same vectors each time, made before the clock runs: 1,024 stores a call, so that pages are what it costs.
    my @vectors = map { my $first = $_; join '', map { pack('Q2', $address + $PAGE * $_, 1) } $first .. $first + 1023 } map { 1024 * $_ } 0 .. $length / $PAGE / 1024 - 1;
    my %steps = (
        read => sub { sysseek($handle, 0, 0); for (my $at = 0; $at < $length; $at += $step) { syscall($READ, fileno $handle, $buffer, $step) == $step or die "read: $!\n" } },
        scan => sub { for (my $at = 0; $at < $length; $at += $step) { $buffer = bytes_at($address + $at, $step) } },
        dirty => sub { for my $vector (@vectors) { syscall($READV, fileno $zero, $vector, 1024) == 1024 or die "store: $!\n" } },
        fill => sub { for (my $at = 0; $at < $length; $at += $step) { syscall($READ, fileno $zero, $address + $at, $step) == $step or die "store: $!\n" } },
        make => sub { for my $number (1 .. 500) { sysopen(my $made, "$file/f$number", 0x41) or die "make: $!\n"; syswrite($made, "x" x $PAGE) == $PAGE or die "write: $!\n" } },
        list => sub { opendir(my $folder, $file) or die "list: $!\n"; -e "$file/$_" or die "stat: $!\n" for readdir $folder },
        load => sub { for my $number (1 .. 500) { my $one = opened("$file/f$number", $O_RDONLY); sysread($one, $buffer, $PAGE) == $PAGE or die "read: $!\n" } },
        forget => sub { sysopen(my $drop, '/proc/sys/vm/drop_caches', 1) or die "forget: $!\n"; syswrite($drop, '3') },
        remove => sub { for my $number (1 .. 500) { unlink "$file/f$number" or die "remove: $!\n" } },
        msync => sub { syscall($MSYNC, $address, $length, 4) == 0 or die "msync: $!\n" },
    );
    my %orders = (read => [qw(read read)], scan => [qw(scan scan)], dirty => [qw(dirty dirty msync dirty)], fill => [qw(fill msync)], small => [qw(make forget list load remove)]);
    for my $name (@{ $orders{$what} // die "no such work: $what\n" }) {
        my $began = uptime();
        $steps{$name}->();
        printf "%s %.6f\n", $name, uptime() - $began if $name ne 'forget';
    }
} elsif ($command eq 'hold') {
    my @handles = map { opened($_, $O_RDONLY) } @words;
    for my $handle (@handles) { my $address = mapped($handle, size_of($handle), $PROT_READ); bytes_at($address, 1) }
} elsif ($command eq 'words' || $command eq 'stores') {
    my ($seconds, $seed, @files) = @words;
    srand($seed);
    my $stores = $command eq 'stores';
    my @maps = map {
        my $handle = opened($_, $stores ? $O_RDWR : $O_RDONLY);
        [$handle, size_of($handle), mapped($handle, size_of($handle), $stores ? $PROT_READ | $PROT_WRITE : $PROT_READ), ord($_) << 40]
    } @files;
    my ($end, $loads) = (uptime() + $seconds, 0);
    while (uptime() < $end) {
        for (1 .. 50) {
            my ($handle, $length, $address, $letter) = @{ $maps[int rand @maps] };
            my $at = $PAGE * int rand($length / $PAGE);
            my $right = pack('Q*', map { $letter + $at / 8 + $_ } 0 .. $PAGE / 8 - 1);
            my $got;
            store($address + $at, $right) if $stores && rand() < 0.5;
            if (rand() < 0.5) { $got = bytes_at($address + $at, $PAGE) }
            else { $got = "\0" x $PAGE; syscall($PREAD, fileno $handle, $got, $PAGE, $at) == $PAGE or die "pread: $!\n" }
            $got eq $right or die "a bad word at $at\n";
            $loads++;
        }
    }
    print "$loads pages\n";
} else {
    die "no such command: $command\n";
}

sub uptime { my $time = "\0" x 16; syscall(228, 1, $time) == 0 or die "clock: $!\n"; my ($s, $ns) = unpack('q2', $time); return $s + $ns / 1e9 }
