// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.virtio4j.command.CommandFailure;

/** A configuration of the former format with one line that cannot be used: the message names it. */
class FormerMistakesTest {

    private static final String WHOLE = """
            [machine vm]
            folder = run
            [iommu]
            address = 00:08.0
            [rng]
            address = 00:09.0
            """;

    @TempDir
    private Path folder;

    private static Stream<Arguments> forms() {
        return Stream.of(
                arguments("folder = run", "floder = run", 2,
                        "unknown key 'floder' in [machine]; did you mean folder?"),
                arguments("[rng]", "[rgn]", 5,
                        "unknown section [rgn]; did you mean rng?"),
                arguments("[rng]", "[rng", 5,
                        "expected ']' at the end of '[rng'"),
                arguments("[rng]", "[rng a b]", 5,
                        "expected [SECTION] or [SECTION NAME], found '[rng a b]'"),
                arguments("address = 00:09.0", "address", 6,
                        "expected KEY = VALUE or [SECTION], found 'address'"),
                arguments("address = 00:09.0", "address = 00:08.0", 6,
                        "address: expected one function at 00:08.0, found [iommu] of line 3 there too"),
                arguments("address = 00:09.0", "address = 9", 6,
                        "address='9': must be BUS:DEVICE.FUNCTION, hexadecimal, such as 00:0a.0"),
                arguments("address = 00:09.0", "address = 01:09.0", 6,
                        "address: expected 00:DEVICE.0, a device of its own on the root bus, found '01:09.0'"),
                arguments("address = 00:09.0", "adress = 00:09.0", 6,
                        "unknown key 'adress' in [rng]; did you mean address?"),
                arguments("address = 00:09.0", "iommu = yes", 5,
                        "expected a key address in [rng], found none"),
                arguments("address = 00:08.0", "address = 00:08.0\naddress = 3", 5,
                        "key address: expected once in [iommu], found on line 4 too"));
    }

    private static Stream<Arguments> values() {
        return Stream.of(
                arguments("address = 00:08.0", "address = 00:08.0\nbypass = on", 5,
                        "bypass: expected yes or no, found 'on'"),
                arguments("address = 00:08.0", "address = 00:08.0\npage-sizes = 3K", 5,
                        "page-sizes: expected powers of two, found '3K'"),
                arguments("address = 00:08.0", "address = 00:08.0\npage-sizes = 1K", 5,
                        "page-sizes: mask=0x400, but its lowest bit is the granule and must be 4096 at least"),
                arguments("address = 00:08.0", "address = 00:08.0\nrequest-queue = 100", 5,
                        "request-queue: expected a power of two, found '100'"),
                arguments("address = 00:08.0", "address = 00:08.0\nwithout = prob", 5,
                        "without: unknown feature 'prob'; did you mean probe?"),
                arguments("address = 00:08.0", "address = 00:08.0\ninput-range = 0", 5,
                        "input-range: expected two hexadecimal addresses such as 0-7fffffffff, found '0'"),
                arguments("address = 00:08.0", "address = 00:08.0\ndomain-range = 0-5000000000", 5,
                        "domain-range: expected 32-bit numbers, found '0-5000000000'"),
                arguments("address = 00:08.0", "address = 00:08.0\nreserved = fee00000", 5,
                        "reserved: expected none, msi:x86, msi:gicv2m, msi:its, or regions such as "
                                + "msi:fee00000-feefffff or reserved:0-fff, found 'fee00000'"));
    }

    private static Stream<Arguments> machines() {
        return Stream.of(
                arguments("address = 00:09.0", "address = 00:09.0\niommu = no", 3,
                        "expected a device behind the IOMMU, found none"),
                arguments("[rng]", "[iommu]", 5,
                        "expected one [iommu] in a machine, found one on line 3 too"),
                arguments("[iommu]", "[rng]", 1,
                        "expected a section [iommu] in the machine, found none"),
                arguments("folder = run", "folder = run\nmemory = 512M", 3,
                        "memory: expected 1 to 1048576, found '512M'"),
                arguments("[machine vm]", "key = value", 1,
                        "expected [machine] first, found 'key = value'"),
                arguments("[machine vm]", "[rng]\naddress = 00:01.0", 1,
                        "expected [machine] first, found [rng]"),
                arguments("folder = run", "memory = 4", 1,
                        "expected a key folder in [machine], found none"),
                arguments("folder = run", "folder =", 2,
                        "expected KEY = VALUE or [SECTION], found 'folder ='"),
                arguments("folder = run", "folder = run\nname = vm", 3,
                        "unknown key 'name' in [machine]; expected one of folder memory memory-file sealed-memory "
                                + "board interrupts cpu processors qemu tree"),
                arguments("folder = run", "folder = run\nsealed-memory = true", 3,
                        "sealed-memory: expected yes or no, found 'true'"),
                arguments("folder = run", "folder = run\nmemory = 0", 3,
                        "memory: expected 1 to 1048576, found '0'"),
                arguments("folder = run", "folder = run\nmemory = 99999999999999999999", 3,
                        "memory: expected 1 to 1048576, found '99999999999999999999'"),
                arguments("folder = run", "folder = run\u0000", 2,
                        "folder: expected a file name, found Nul character not allowed"));
    }

    private static Stream<Arguments> polling() {
        return Stream.of(
                arguments("address = 00:09.0", "address = 00:09.0\npoll = on", 7,
                        "poll: expected yes or no, found 'on'"),
                arguments("address = 00:09.0", "address = 00:09.0\npoll = yes\nidle = busy", 8,
                        "idle: expected spin, yield, backoff or sleep, found 'busy'"),
                arguments("address = 00:08.0", "address = 00:08.0\nidle = spin", 5,
                        "idle: expected with poll = yes only: without it no thread idles"),
                arguments("folder = run", "folder = run\npoll = yes", 3,
                        "unknown key 'poll' in [machine]; expected one of folder memory memory-file sealed-memory "
                                + "board interrupts cpu processors qemu tree"));
    }

    private static Stream<Arguments> disks() {
        return Stream.of(
                arguments("[rng]", "[disk]", 5,
                        "expected a key file in [disk], found none"),
                arguments("address = 00:09.0", "address = 00:09.0\nfile = disk.img", 7,
                        "unknown key 'file' in [rng]; did you mean idle?"),
                arguments("[rng]", "[disk]\nfile = disk.img\nqueues = 0", 7,
                        "queues: expected 1 to 1024, found '0'"),
                arguments("[rng]", "[disk]\nfile = disk.img\nqueue-size = 3", 7,
                        "queue-size: expected a power of two, found '3'"),
                arguments("[rng]", "[disk]\nfile = disk.img\nblock-size = 1000", 7,
                        "block-size: blockSize=1000, but a power of two from 512 to 65536 is needed"),
                arguments("[rng]", "[disk]\nfile = disk.img\nblock-size = 4K", 7,
                        "block-size: expected 1 to 65536, found '4K'"),
                arguments("[rng]", "[disk]\nfile = disk.img\nlock = yes", 7,
                        "lock: expected auto, on or off, found 'yes'"),
                arguments("[rng]", "[disk]\nfile = disk.img\nread-only = 1", 7,
                        "read-only: expected yes or no, found '1'"),
                arguments("[rng]", "[disk]\nfile = disk.img\nid = 123456789012345678901", 7,
                        "id=123456789012345678901, but it has room for 20 ASCII characters"));
    }

    /** Each can be read, but no guest can work with it. */
    private static Stream<Arguments> useless() {
        return Stream.of(
                arguments("address = 00:08.0", "address = 00:08.0\nrequest-queue = 1", 5,
                        "request-queue: requests=1, but a power of two from 2 to 32768 is needed: a request takes two"
                                + " descriptors"),
                arguments("address = 00:08.0", "address = 00:08.0\nevent-queue = 0", 5,
                        "event-queue: expected 1 to 32768, found '0'"),
                arguments("address = 00:08.0", "address = 00:08.0\nmax-mappings = 1", 5,
                        "max-mappings: expected 512 to 1073741824, found '1': one request of a disk may need 256, and"
                                + " Linux hangs if it gets none"),
                arguments("address = 00:08.0", "address = 00:08.0\npage-sizes = 2M 1G", 5,
                        "page-sizes: mask=0x40200000, but its lowest bit is the granule, and no guest has pages larger"
                                + " than 65536 bytes; add its page size"),
                arguments("address = 00:08.0", "address = 00:08.0\ninput-range = 0-0", 5,
                        "input-range: start=0x0, end=0x0 have no page of 4096 bytes between them, and smaller ones"
                                + " cannot be mapped; widen the range"),
                arguments("address = 00:08.0", "input-range = 0-fffe\npage-sizes = 64K\naddress = 00:08.0", 4,
                        "input-range: start=0x0, end=0xfffe have no page of 65536 bytes between them, and smaller ones"
                                + " cannot be mapped; widen the range"),
                arguments("address = 00:08.0", "address = 00:08.0\nreserved = msi:fee00000-feefffff, reserved:1-2", 5,
                        "reserved: expected whole pages of 4096 bytes such as reserved:0-fff, found 'reserved:1-2'"),
                arguments("address = 00:08.0", "address = 00:08.0\nreserved = reserved:0-ffe", 5,
                        "reserved: expected whole pages of 4096 bytes such as reserved:0-fff, found 'reserved:0-ffe'"),
                arguments("address = 00:08.0", "address = 00:08.0\nreserved = reserved:0-ffffffffffffffff", 5,
                        "reserved: regions=reserved 0x0 to 0xffffffffffffffff leave no page of 4096 bytes"
                                + " in the input range 0x0 to 0xffffffffffffffff; widen the range, or reserve less"),
                arguments("address = 00:09.0", "address = 00:09.0\nreserved = reserved:0-ffffffffffffffff", 7,
                        "reserved: regions=reserved 0x0 to 0xffffffffffffffff leave no page of 4096 bytes"
                                + " in the input range 0x0 to 0xffffffffffffffff; widen the range, or reserve less"),
                arguments("address = 00:08.0", "address = 00:08.0\ninput-range = fee00000-fee0ffff", 5,
                        "input-range: regions=msi 0xfee00000 to 0xfeefffff leave no"
                                + " page of 4096 bytes in the input range 0xfee00000 to 0xfee0ffff; widen the range,"
                                + " or reserve less"),
                arguments("address = 00:08.0", "address = 00:08.0\nprobe-size = 8", 5,
                        "probe-size: probeSize=8, but the properties of an endpoint need 24 bytes"));
    }

    @Test
    void shouldHaveFiftyMistakes() {
        assertTrue(Stream.of(forms(), values(), machines(), polling(), disks(), useless())
                .mapToLong(Stream::count).sum() >= 50);
    }

    @ParameterizedTest
    @MethodSource({"forms", "values", "machines", "polling", "disks", "useless"})
    void shouldSayWhatIsWrongAndWhere(String line, String instead, int number, String message) throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        Path file = Files.writeString(folder.resolve("vm.conf"),
                WHOLE.replaceFirst(Pattern.quote(line), instead));
        CommandFailure failure = assertThrows(CommandFailure.class, () -> MachineReader.read(file));
        assertEquals(file + ":" + number + ": " + message, failure.getMessage());
    }
}
