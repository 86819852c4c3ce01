// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;

/** A configuration in TOML with one mistake: the message names its line and column. */
class TomlMistakesTest {

    private static final String FOLDER = "folder = \"run\"";
    private static final String IOMMU_ADDRESS = "address = \"00:08.0\"";
    private static final String RNG_ADDRESS = "address = \"00:09.0\"";
    private static final String WHOLE = """
            [[machine]]
            folder = "run"
            [machine.iommu]
            address = "00:08.0"
            [[machine.rng]]
            address = "00:09.0"
            """;

    @TempDir
    private Path folder;

    private static Stream<Arguments> lines() {
        return Stream.of(
                arguments(FOLDER, "folder = run", "2:10",
                        "folder: expected text in quotes such as \"run\", found 'run'"),
                arguments(FOLDER, "folder = ", "2:10",
                        "folder: expected text in quotes such as \"run\", found none"),
                arguments(FOLDER, "folder = # here", "2:10",
                        "folder: expected text in quotes such as \"run\", found none"),
                arguments(FOLDER, "folder run", "2:8",
                        "expected KEY = VALUE, found 'folder run'"),
                arguments(FOLDER, "folder: \"run\"", "2:7",
                        "expected KEY = VALUE, found 'folder: \"run\"'"),
                arguments(FOLDER, "folder = \"run", "2:14",
                        "expected \" at the end of the text, found the end of the line"),
                arguments(FOLDER, "folder = 'run", "2:14",
                        "expected ' at the end of the text, found the end of the line"),
                arguments(FOLDER, FOLDER + " now", "2:16",
                        "expected the end of the line, found 'now'"),
                arguments(FOLDER, "folder = \u201crun\u201d", "2:10",
                        "folder: expected text in quotes such as \"run\", found '\u201crun\u201d'"),
                arguments(FOLDER, "folder = \"C:\\disks\"", "2:13",
                        "expected \\\\ for a backslash, or the text in single quotes, found '\\d'"),
                arguments(FOLDER, "folder = \"a\\u12\"", "2:12",
                        "expected \\u and four hexadecimal digits, found 'folder = \"a\\u12\"'"),
                arguments(FOLDER, "folder = \"a\u0001\"", "2:12",
                        "expected no control character, found '\\u0001'"));
    }

    private static Stream<Arguments> characters() {
        return Stream.of(
                arguments(FOLDER, FOLDER + "\u0000", "2:15",
                        "expected no control character, found '\\u0000'"),
                arguments(FOLDER, FOLDER + "\rmemory = 4", "2:15",
                        "expected LF or CR LF at the end of the line, found CR alone"),
                arguments(FOLDER, "\ufefffolder = \"run\"", "2:1",
                        "expected no byte order mark except at the beginning of the file, found one"),
                arguments(FOLDER, "\u00a0folder = \"run\"", "2:1",
                        "expected KEY = VALUE or a table such as [machine.iommu], found '\\u00a0folder = \"run\"'"),
                arguments(FOLDER, "; here\nfolder = \"run\"", "2:1",
                        "expected KEY = VALUE or a table such as [machine.iommu], found '; here'; a comment "
                                + "begins with #"),
                arguments(FOLDER, "// here\nfolder = \"run\"", "2:1",
                        "expected KEY = VALUE or a table such as [machine.iommu], found '// here'; a comment "
                                + "begins with #"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [4K]", "5:16",
                        "expected a comma or ], found '4K'; text needs quotes"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [\"4K\" \"2M\"]", "5:20",
                        "expected a comma or ], found '\"2M\"'"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [\"4K\"", "5:19",
                        "expected a comma or ], found the end of the line"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nreserved = [\n  msi:x86\n]", "6:3",
                        "expected a value or ], found 'msi:x86'; text needs quotes"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nx = [[[[", "5:9",
                        "expected a value or ], found the end of the line"));
    }

    private static Stream<Arguments> tables() {
        return Stream.of(
                arguments("[[machine]]", "[machine]", "1:1",
                        "expected [[machine]], found [machine]: there may be several"),
                arguments("[[machine]]", "[[machine]", "1:10",
                        "expected a table such as [[machine]] or [machine.iommu], found '[[machine]'"),
                arguments("[[machine]]", "[machine vm]", "1:10",
                        "expected a table such as [[machine]] or [machine.iommu], found '[machine vm]'; write "
                                + "[[machine]], and name = \"vm\" below it"),
                arguments("[[machine]]", "[]", "1:1",
                        "expected a table such as [[machine]], found '[]'"),
                arguments("[[machine]]", "[[machine]] vm", "1:13",
                        "expected the end of the line, found 'vm'"),
                arguments("[[machine]]", "[[disk]]\n[[machine]]", "1:1",
                        "expected [[machine.disk]], found [[disk]]"),
                arguments("[[machine]]", "memory = 4\n[[machine]]", "1:1",
                        "expected [[machine]] first, found key 'memory'"),
                arguments(FOLDER, FOLDER + "\n[machine]", "3:1",
                        "expected [[machine]] for each of several, found '[machine]', as on line 1"),
                arguments(FOLDER, FOLDER + "\niommu = true", "4:1",
                        "expected [machine.iommu] once, found 'iommu = true' on line 3"),
                arguments(FOLDER, FOLDER + "\ndisk = 5", "3:1",
                        "expected [[machine.disk]], found 5"),
                arguments(FOLDER, FOLDER + "\ndisk = [5]", "3:9",
                        "expected [[machine.disk]], found 5"),
                arguments(FOLDER, FOLDER + "\n[machine.disk]", "3:1",
                        "expected [[machine.disk]], found [machine.disk]: there may be several"));
    }

    private static Stream<Arguments> tablesInAMachine() {
        return Stream.of(
                arguments("[machine.iommu]", "[[machine.iommu]]", "3:1",
                        "expected [machine.iommu], found [[machine.iommu]]: a machine has one"),
                arguments("[machine.iommu]", "[machine.iomu]", "3:1",
                        "unknown table 'iomu' in [[machine]]; did you mean iommu?"),
                arguments("[machine.iommu]", "[machine.iommu", "3:15",
                        "expected a table such as [[machine]] or [machine.iommu], found '[machine.iommu'"),
                arguments("[machine.iommu]", "[machine.iommu]\naddress = \"00:08.0\"\n[machine.iommu]", "5:1",
                        "expected one [machine.iommu] in a machine, found one on line 3 too"),
                arguments("[[machine.rng]]", "[rng]", "5:1",
                        "expected [[machine.rng]], found [rng]"),
                arguments("[[machine.rng]]", "[[rgn]]", "5:1",
                        "unknown table [[rgn]]; did you mean rng?"),
                arguments("[[machine.rng]]", "[machine.rng]", "5:1",
                        "expected [[machine.rng]], found [machine.rng]: there may be several"),
                arguments("[[machine.rng]]", "[[machine.rng]]\naddress = \"00:09.0\"\n[machine.rng]", "7:1",
                        "expected [[machine.rng]] for each of several, found '[machine.rng]', as on line 5"),
                arguments("[[machine.rng]]", "[machine.rng]\naddress = \"00:09.0\"\n[[machine.rng]]", "7:1",
                        "expected [[machine.rng]] each time, found '[machine.rng]' on line 5"),
                arguments("[machine.iommu]", "[iommu]", "3:1",
                        "expected [machine.iommu], found [iommu]"),
                arguments("[[machine]]\nfolder = \"run\"\n[machine.iommu]", "[machine.iommu]\n[[machine]]", "2:1",
                        "expected [[machine]] first, found '[machine.iommu]' on line 1"));
    }

    private static Stream<Arguments> keys() {
        return Stream.of(
                arguments(FOLDER, "floder = \"run\"", "2:1",
                        "unknown key 'floder' in [[machine]]; did you mean folder?"),
                arguments(FOLDER, "memory = 4", "1:1",
                        "expected a key folder in [[machine]], found none"),
                arguments(FOLDER, FOLDER + "\nfolder = \"run\"", "3:1",
                        "key folder: expected once in [[machine]], found on line 2 too"),
                arguments(FOLDER, FOLDER + "\npoll = true", "3:1",
                        "unknown key 'poll' in [[machine]]; it belongs to [machine.iommu] or [[machine.disk]] or "
                                + "[[machine.rng]]"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nmemory = 4", "5:1",
                        "unknown key 'memory' in [machine.iommu]; it belongs to [[machine]]"),
                arguments(RNG_ADDRESS, RNG_ADDRESS + "\nfile = \"disk.img\"", "7:1",
                        "unknown key 'file' in [[machine.rng]]; it belongs to [[machine.disk]]"),
                arguments(RNG_ADDRESS, "poll = false", "5:1",
                        "expected a key address in [[machine.rng]], found none"),
                arguments("[[machine.rng]]", "[[machine.disk]]", "5:1",
                        "expected a key file in [[machine.disk]], found none"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\naddress.bus = 0", "5:1",
                        "key address: expected once in [machine.iommu], found on line 4 too"));
    }

    private static Stream<Arguments> values() {
        return Stream.of(
                arguments(FOLDER, FOLDER + "\nmemory = \"512\"", "3:10",
                        "memory: expected a number from 1 to 1048576, found the text \"512\""),
                arguments(FOLDER, FOLDER + "\nmemory = 512M", "3:13",
                        "memory: expected a number from 1 to 1048576, found '512M'"),
                arguments(FOLDER, FOLDER + "\nmemory = 1.5", "3:10",
                        "memory: expected a number from 1 to 1048576, found 1.5"),
                arguments(FOLDER, FOLDER + "\nmemory = 0512", "3:10",
                        "memory: expected a number from 1 to 1048576, found '0512'"),
                arguments(FOLDER, FOLDER + "\nmemory = 0", "3:10",
                        "memory: expected 1 to 1048576, found '0'"),
                arguments(FOLDER, FOLDER + "\nmemory = 1_048_577", "3:10",
                        "memory: expected 1 to 1048576, found '1048577'"),
                arguments(FOLDER, FOLDER + "\nmemory = 99999999999999999999", "3:10",
                        "memory: expected a number from 1 to 1048576, found '99999999999999999999'"),
                arguments(FOLDER, FOLDER + "\nsealed-memory = yes", "3:17",
                        "sealed-memory: expected true or false, found 'yes'"),
                arguments(FOLDER, FOLDER + "\nsealed-memory = \"no\"", "3:17",
                        "sealed-memory: expected true or false, found the text \"no\""),
                arguments(FOLDER, FOLDER + "\nname = \"a b\"", "3:8",
                        "name: expected a word without spaces, found 'a b'"),
                arguments(FOLDER, "folder = [\"run\"]", "2:10",
                        "folder: expected text in quotes such as \"run\", found a list"),
                arguments(FOLDER, "folder = \"a\\u0000b\"", "2:10",
                        "folder: expected a file name, found Nul character not allowed"));
    }

    private static Stream<Arguments> boards() {
        return Stream.of(
                arguments(FOLDER, FOLDER + "\nbord = \"virt\"", "3:1",
                        "unknown key 'bord' in [[machine]]; did you mean board?"),
                arguments(FOLDER, FOLDER + "\nboard = \"vrit\"", "3:9",
                        "board: expected q35 or virt, found 'vrit'"),
                arguments(FOLDER, FOLDER + "\nboard = virt", "3:9",
                        "board: expected text in quotes such as \"virt\", found 'virt'"),
                arguments(FOLDER, FOLDER + "\nboard = \"virt\"\ninterrupts = \"gic\"", "4:14",
                        "interrupts: expected its or gicv2m, found 'gic'"),
                arguments(FOLDER, FOLDER + "\ninterrupts = \"its\"", "3:14",
                        "interrupts: expected on the board virt only, found on q35"),
                arguments(FOLDER, FOLDER + "\nqemu = \"qemu-system-aarch64\"", "3:8",
                        "qemu: expected on the board virt only, found on q35"),
                arguments(FOLDER, FOLDER + "\nboard = \"q35\"\ntree = \"virt.dtb\"", "4:8",
                        "tree: expected on the board virt only, found on q35"),
                arguments(FOLDER, FOLDER + "\nboard = \"virt\"\n[[machine.rng]]\naddress = \"00:10.0\"\n"
                        + "hot-plug = true", "6:12", "hot-plug: expected on the board q35 only, found on virt; leave it"
                                + " out, and the device is there from the start"),
                arguments(FOLDER, FOLDER + "\nprocessors = 0", "3:14",
                        "processors: expected 1 to 512, found '0'"),
                arguments(FOLDER, FOLDER + "\nboard = \"virt\"\ninterrupts = \"gicv2m\"\nprocessors = 9", "5:14",
                        "processors: expected 1 to 8 with interrupts of gicv2m, found '9'"),
                arguments(FOLDER, FOLDER + "\ncpu = \"\"", "3:7",
                        "cpu: expected a word without spaces, found ''"),
                arguments(FOLDER, FOLDER + "\nboard = \"virt\"\nqemu = \"qemu -nodefaults\"", "4:8",
                        "qemu: expected a word without spaces, found 'qemu -nodefaults'"),
                arguments(FOLDER, FOLDER + "\nboard = \"virt\"\nqemu = \"a\"\ntree = \"b\"", "4:8",
                        "qemu: expected without tree only: no QEMU needs to write the tree then"));
    }

    private static Stream<Arguments> addresses() {
        return Stream.of(
                arguments(IOMMU_ADDRESS, "address = 00:08.0", "4:16",
                        "address: expected text in quotes such as \"00:0a.0\", found '00:08.0'"),
                arguments(IOMMU_ADDRESS, "address = 8", "4:11",
                        "address: expected text in quotes such as \"00:0a.0\", found 8"),
                arguments(IOMMU_ADDRESS, "address = \"8\"", "4:11",
                        "address='8': must be BUS:DEVICE.FUNCTION, hexadecimal, such as 00:0a.0"),
                arguments(IOMMU_ADDRESS, "address = \"01:08.0\"", "4:11",
                        "address: expected 00:DEVICE.0, a device of its own on the root bus, found '01:08.0'"),
                arguments(RNG_ADDRESS, "address = \"00:08.0\"", "6:11",
                        "address: expected one function at 00:08.0, found [machine.iommu] of line 3 there too"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = \"4K\"", "5:14",
                        "page-sizes: expected a list such as [\"4K\", \"2M\"], found the text \"4K\""),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [4096]", "5:15",
                        "page-sizes: expected text in quotes, found 4096"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [\"4K\", \"3K\"]", "5:21",
                        "page-sizes: expected powers of two, found '3K'"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = [\"1K\"]", "5:14",
                        "page-sizes: mask=0x400, but its lowest bit is the granule and must be 4096 at least"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\npage-sizes = []", "5:14",
                        "page-sizes: expected one page size or more, found none"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nreserved = \"none\"", "5:12",
                        "reserved: expected a list such as [\"msi:x86\"], found the text \"none\""),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nreserved = [\"none\"]", "5:13",
                        "reserved: expected msi:x86, msi:gicv2m, msi:its, or regions such as "
                                + "msi:fee00000-feefffff or reserved:0-fff, found 'none'"));
    }

    private static Stream<Arguments> otherValues() {
        return Stream.of(
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nwithout = [\"mmio\",\n  \"prob\"]", "6:3",
                        "without: unknown feature 'prob'; did you mean probe?"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nrequest-queue = 100", "5:17",
                        "request-queue: expected a power of two, found '100'"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nmax-mappings = 1", "5:16",
                        "max-mappings: expected 512 to 1073741824, found '1': one request of a disk may need "
                                + "256, and Linux hangs if it gets none"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nmax-mappings-per-domain = 511", "5:27",
                        "max-mappings-per-domain: expected 512 to 1073741824, found '511': one request of a disk may "
                                + "need 256, and Linux hangs if it gets none"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nmax-domains = 0", "5:15",
                        "max-domains: expected 1 to 65536, found '0'"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\ndomain-range = [0, 5]", "5:16",
                        "domain-range: expected text in quotes such as \"0-65535\", found a list"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nlinger = 2026-01-01", "5:10",
                        "linger: expected a number from 0 to 1000000, found 2026-01-01"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nidle = \"spin\"", "5:8",
                        "idle: expected with poll = true only: without it no thread idles"),
                arguments(RNG_ADDRESS, RNG_ADDRESS + "\npoll = true\nidle = \"busy\"", "8:8",
                        "idle: expected spin, yield, backoff or sleep, found 'busy'"),
                arguments(RNG_ADDRESS, RNG_ADDRESS + "\niommu = false", "3:1",
                        "expected a device behind the IOMMU, found none"),
                arguments(IOMMU_ADDRESS, IOMMU_ADDRESS + "\nprobe-size = 8", "5:14",
                        "probe-size: probeSize=8, but the properties of an endpoint need 24 bytes"),
                arguments("[[machine.rng]]", "[[machine.disk]]\nfile = \"disk.img\"\nlock = true", "7:8",
                        "lock: expected text in quotes such as \"auto\", found true"),
                arguments("[[machine.rng]]", "[[machine.disk]]\nfile = \"disk.img\"\nblock-size = 1000", "7:14",
                        "block-size: blockSize=1000, but a power of two from 512 to 65536 is needed"));
    }

    @Test
    void shouldHaveFiftyMistakes() {
        assertTrue(Stream.of(lines(), characters(), tables(), tablesInAMachine(), keys(), values(), boards(),
                addresses(), otherValues()).mapToLong(Stream::count).sum() >= 50);
    }

    @ParameterizedTest
    @MethodSource({"lines", "characters", "tables", "tablesInAMachine", "keys", "values", "boards", "addresses",
            "otherValues"})
    void shouldSayWhatIsWrongAndWhere(String text, String instead, String place, String message) throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        Path file = write(WHOLE.replaceFirst(Pattern.quote(text), Matcher.quoteReplacement(instead)));
        assertEquals(file + ":" + place + ": " + message, refusal(file));
    }

    @ParameterizedTest
    @MethodSource({"lines", "characters", "tables", "tablesInAMachine", "keys", "values", "boards", "addresses",
            "otherValues"})
    void shouldSayTheSameAfterAMarkAndWithLongLineEnds(String text, String instead, String place, String message)
            throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
        String mistaken = WHOLE.replaceFirst(Pattern.quote(text), Matcher.quoteReplacement(instead));
        Path file = write("\ufeff" + mistaken.replace("\n", "\r\n"));
        assertEquals(file + ":" + place + ": " + message, refusal(file));
    }

    @Test
    void shouldCountCharactersNotBytes() throws IOException {
        Path file = write("[[machine]]\nfolder = \"\u00fc\ud83d\ude00\" x\n");
        assertEquals(file + ":2:15: expected the end of the line, found 'x'", refusal(file));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[", "x=[", "x={a=", "a."})
    void shouldNameDepthThatIsTooMuch(String piece) throws IOException {
        Path file = write("[[machine]]\n" + (piece.length() == 3 ? "x=" + "[".repeat(100_000) : piece.repeat(100_000)));
        String refusal = refusal(file);
        assertTrue(refusal.startsWith(file + ":2:"), refusal);
        assertTrue(refusal.length() < file.toString().length() + 200, refusal);
        assertEquals(1, refusal.lines().count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "# nothing\n", "\n\n", "\ufeff", "machine = []\n"})
    void shouldWantAMachine(String text) throws IOException {
        Path file = write(text);
        assertEquals(file + ": expected a table [[machine]], found none", refusal(file));
    }

    @Test
    void shouldNotReadWhatIsFarTooLong() throws IOException {
        Path file = folder.resolve("serve.toml");
        try (RandomAccessFile large = new RandomAccessFile(file.toFile(), "rw")) {
            large.setLength(100 << 20);
        }
        assertEquals(file + ": expected a configuration, found a file of more than 1048576 bytes", refusal(file));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("serve.toml"), text);
    }

    private static String refusal(Path file) {
        return String.valueOf(assertThrows(CommandFailure.class, () -> MachineReader.read(file)).getMessage());
    }
}
