# SPDX-License-Identifier: Apache-2.0
#
# A driver in the guest's user space for the entropy source, by VFIO: vfio.pl GROUP FUNCTION MACHINE PAGE, the last two
# as uname and the kernel have them. It says on standard output what it finds, and ends with status 1 and a line when
# something is not as it should be.
#
# The buffer is mapped, and filled by the device. Then it is mapped for reading alone, and unmapped; each time the
# device is told to fill it again, which must fail.

use strict;
use warnings;

# Linux, include/uapi/linux/vfio.h
use constant {
    SET_IOMMU => 0x3b66, SET_CONTAINER => 0x3b68, GET_DEVICE => 0x3b6a, MAP_DMA => 0x3b71, UNMAP_DMA => 0x3b72,
    TYPE1 => 1, READABLE => 1, WRITABLE => 2, CONFIG => 7,
};
# The numbers of three system calls: x86-64 has its own, and newer architectures share theirs.
use constant {
    MMAP => $ARGV[2] eq 'x86_64' ? 9 : 222, PREAD => $ARGV[2] eq 'x86_64' ? 17 : 67,
    PWRITE => $ARGV[2] eq 'x86_64' ? 18 : 68,
};
# virtio 1.4, sections 2.1, 2.7 and 4.1.4
use constant {
    COMMON => 1, NOTIFY => 2,
    FEATURE_SELECT => 8, FEATURE => 12, STATUS => 20, QUEUE_SELECT => 22, QUEUE_SIZE => 24, QUEUE_ENABLE => 28,
    NOTIFY_OFF => 30, QUEUE_DESC => 32, QUEUE_DRIVER => 40, QUEUE_DEVICE => 48,
    ACKNOWLEDGE => 1, DRIVER => 2, DRIVER_OK => 4, FEATURES_OK => 8,
};
use constant { PAGE => $ARGV[3], RING => 0x100000, BUFFER => 0x110000, AVAILABLE => 0x400, USED => 0x800, BYTES => 64 };

my ($group_name, $function) = @ARGV;

sub fail {
    print "@_\n";
    exit 1;
}

# ---- registers -------------------------------------------------------------------------------------------------------

my $device;

# $width bytes of a region of the device, as a number. The device's file knows no position, so it takes pread.
sub get {
    my ($region, $offset, $width) = @_;
    my $bytes = "\0" x 8;
    syscall(PREAD, fileno $device, $bytes, $width, ($region << 40) + $offset) == $width
        or fail("cannot read region $region at $offset: $!");
    return unpack 'Q<', $bytes;
}

sub put {
    my ($region, $offset, $width, $value) = @_;
    my $bytes = pack 'Q<', $value;
    syscall(PWRITE, fileno $device, $bytes, $width, ($region << 40) + $offset) == $width
        or fail("cannot write region $region at $offset: $!");
}

# The region, offset and multiplier of each of virtio's structures, by type.
sub structures {
    my %found;
    for (my $at = get(CONFIG, 0x34, 1); $at; $at = get(CONFIG, $at + 1, 1)) {
        next if get(CONFIG, $at, 1) != 9;
        my $type = get(CONFIG, $at + 3, 1);
        $found{$type} = [get(CONFIG, $at + 4, 1), get(CONFIG, $at + 8, 4), get(CONFIG, $at + 16, 4)];
    }
    return %found;
}

# ---- memory ----------------------------------------------------------------------------------------------------------

# Memory is a file, for Perl can write to a file and not to an address; the device gets its pages.
open my $memory, '+>', '/vfio.memory' or fail("cannot make a file: $!");
syswrite $memory, "\0" x (2 * PAGE);
my $address = syscall MMAP, 0, 2 * PAGE, 3, 1, fileno $memory, 0;
$address == -1 and fail("cannot map the file: $!");

sub load {
    my ($offset, $length) = @_;
    sysseek $memory, $offset, 0;
    sysread($memory, my $bytes, $length);
    return $bytes;
}

sub store {
    my ($offset, $bytes) = @_;
    sysseek $memory, $offset, 0;
    syswrite $memory, $bytes;
}

# ---- VFIO ------------------------------------------------------------------------------------------------------------

open my $container, '+<', '/dev/vfio/vfio' or fail("cannot open VFIO: $!");
open my $group, '+<', "/dev/vfio/$group_name" or fail("cannot open group $group_name: $!");
my $number = pack 'i', fileno $container;
ioctl $group, SET_CONTAINER, $number or fail("cannot use group $group_name: $!");
ioctl $container, SET_IOMMU, TYPE1 or fail("cannot use the IOMMU: $!");
my $name = "$function\0";
my $descriptor = ioctl $group, GET_DEVICE, $name or fail("cannot open $function: $!");
open $device, '+<&=', $descriptor or fail("cannot use $function: $!");

sub map_page {
    my ($page, $iova, $access) = @_;
    my $request = pack 'LLQQQ', 32, $access, $address + $page * PAGE, $iova, PAGE;
    ioctl $container, MAP_DMA, $request or fail("cannot map: $!");
}

sub unmap_page {
    my ($iova) = @_;
    my $request = pack 'LLQQ', 24, 0, $iova, PAGE;
    ioctl $container, UNMAP_DMA, $request or fail("cannot unmap: $!");
}

# ---- the device ------------------------------------------------------------------------------------------------------

put(CONFIG, 4, 2, get(CONFIG, 4, 2) | 6); # memory space and bus master
my %structures = structures();
my ($bar, $common) = @{$structures{+COMMON} or fail('no common configuration')};
my ($notify_bar, $notify, $multiplier) = @{$structures{+NOTIFY} or fail('no notifications')};

sub status {
    my ($bits) = @_;
    put($bar, $common + STATUS, 1, $bits);
}

status(0);
status(ACKNOWLEDGE);
status(ACKNOWLEDGE | DRIVER);
put($bar, $common + FEATURE_SELECT, 4, 1);
put($bar, $common + FEATURE, 4, 3); # VERSION_1 and ACCESS_PLATFORM
status(ACKNOWLEDGE | DRIVER | FEATURES_OK);
get($bar, $common + STATUS, 1) & FEATURES_OK or fail('the device refuses VERSION_1 and ACCESS_PLATFORM');
map_page(0, RING, READABLE | WRITABLE);
map_page(1, BUFFER, READABLE | WRITABLE);
put($bar, $common + QUEUE_SELECT, 2, 0);
put($bar, $common + QUEUE_SIZE, 2, 4);
my @parts = ([QUEUE_DESC, RING], [QUEUE_DRIVER, RING + AVAILABLE], [QUEUE_DEVICE, RING + USED]);
for my $part (@parts) {
    put($bar, $common + $part->[0], 4, $part->[1]);
    put($bar, $common + $part->[0] + 4, 4, 0);
}
my $doorbell = $notify + get($bar, $common + NOTIFY_OFF, 2) * $multiplier;
put($bar, $common + QUEUE_ENABLE, 2, 1);
status(ACKNOWLEDGE | DRIVER | FEATURES_OK | DRIVER_OK);

# Has the device fill the buffer for the ${index}th time, and waits at most so many tenths of a second.
sub fill {
    my ($index, $patience) = @_;
    store(0, pack 'QLSS', BUFFER, BYTES, 2, 0);
    store(AVAILABLE + 4 + 2 * ($index - 1), pack 'S', 0);
    store(AVAILABLE + 2, pack 'S', $index);
    put($notify_bar, $doorbell, 2, 0);
    while (unpack('S', load(USED + 2, 2)) != $index && $patience-- > 0) {
        select undef, undef, undef, 0.1;
    }
    return load(PAGE, BYTES);
}

my $zeros = "\0" x BYTES;
my $random = fill(1, 100);
$random ne $zeros or fail('the device did not fill the buffer');
print 'mapped=', unpack('H*', $random), "\n";

store(PAGE, $zeros);
unmap_page(BUFFER);
map_page(1, BUFFER, READABLE);
fill(2, 10) eq $zeros or fail('the device filled a buffer that it may only read');
print "readonly=unchanged\n";

unmap_page(BUFFER);
fill(3, 10) eq $zeros or fail('the device filled a buffer that was not mapped any more');
print "unmapped=unchanged\n";
status(0);
