// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.serving.config.ConfigFile.MachineTables;

/** A converted configuration means what it meant before. */
class FormerToTomlTest {

    private static final String IN_THE_GUIDE = """
            # The folder of the sockets, relative to the folder of this file, and the guest's RAM in MiB.
            [machine]
            folder = run
            memory = 512

            [iommu]
            address = 00:08.0

            [rng]
            address = 00:09.0

            [disk]
            address = 00:0a.0
            file = disk.img
            """;

    private static final String EVERY_KEY = """
            # All there is.
            [machine big]
            folder = /run/big
            memory = +2048
            memory-file = ram
            sealed-memory = yes

              [ iommu ]
            address=0:8.0
            page-sizes = 4K, 2M 1G
            input-range = 1000-7fffffffff
            domain-range = 1-65535
            probe-size = 1024
            bypass = no
            bypass-after-reset = yes
            request-queue = 1024
            event-queue = 128
            max-mappings = 1000
            linger = 0
            reserved = msi:fee00000-feefffff, reserved:0-fff
            without = mmio bypass-config
            poll = no

            [disk data]
            address = 00:0a.0
            iommu = yes
            file = disk.img
            read-only = yes
            queues = 4
            queue-size = 64
            block-size = 4096
            id = serial number
            reserved = none
            lock = off
            poll = yes
            idle = spin

            [rng]
            address = 00:0b.0
            iommu = no
            """;

    private static final String EVERY_KEY_IN_TOML = """
            # All there is.
            [[machine]]
            name = "big"
            folder = "/run/big"
            memory = 2048
            memory-file = "ram"
            sealed-memory = true

            [machine.iommu]
            address = "0:8.0"
            page-sizes = ["4K", "2M", "1G"]
            input-range = "1000-7fffffffff"
            domain-range = "1-65535"
            probe-size = 1024
            bypass = false
            bypass-after-reset = true
            request-queue = 1024
            event-queue = 128
            max-mappings = 1000
            linger = 0
            reserved = ["msi:fee00000-feefffff", "reserved:0-fff"]
            without = ["mmio", "bypass-config"]
            poll = false

            [[machine.disk]] # data
            address = "00:0a.0"
            iommu = true
            file = "disk.img"
            read-only = true
            queues = 4
            queue-size = 64
            block-size = 4096
            id = "serial number"
            reserved = []
            lock = "off"
            poll = true
            idle = "spin"

            [[machine.rng]]
            address = "00:0b.0"
            iommu = false
            """;

    private static final String POLLED = """
            [machine]
            folder = run
            memory = 4
            memory-file = ram
            [iommu]
            address = 00:08.0
            poll = yes
            idle = yield
            [rng]
            address = 00:09.0
            poll = yes
            idle = sleep
            [disk]
            address = 00:0a.0
            file = disk.img
            poll = yes
            """;

    private static final String ODD = """
            [machine "m"]
            folder = "r\\un" # no comment
            [rng]
            address = 00:09.0
            [iommu]
            address = 00:08.0
            [disk]
            address = 00:0a.0
            file = disk.img
            id = "\\'\t
            [rng]
            address = 00:0b.0
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void makeDisk() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[65_536]);
    }

    @Test
    void shouldKeepComments() throws CommandFailure, IOException {
        assertEquals("""
                # The folder of the sockets, relative to the folder of this file, and the guest's RAM in MiB.
                [[machine]]
                folder = "run"
                memory = 512

                [machine.iommu]
                address = "00:08.0"

                [[machine.rng]]
                address = "00:09.0"

                [[machine.disk]]
                address = "00:0a.0"
                file = "disk.img"
                """, FormerToToml.convert(write(IN_THE_GUIDE)));
    }

    @Test
    void shouldGiveEachKeyTheTypeThatItHasInToml() throws CommandFailure, IOException {
        assertEquals(EVERY_KEY_IN_TOML, FormerToToml.convert(write(EVERY_KEY)));
    }

    @ParameterizedTest
    @ValueSource(strings = {IN_THE_GUIDE, EVERY_KEY, POLLED, ODD})
    void shouldMeanTheSame(String former) throws CommandFailure, IOException {
        assertMeansTheSame(former);
        assertMeansTheSame("\ufeff" + former.replace("\n", "\r\n"));
        assertMeansTheSame(former + former.replaceFirst("\\[machine.*]", "[machine second]")
                .replaceAll("/?r(\\\\?)un", "else").replace("= ram", "= ram2").replace("disk.img", "disk2.img"));
    }

    @Test
    void shouldMeanTheSameWhateverTheKeys() throws CommandFailure, IOException {
        long seed = Long.getLong("virtio4j.seed", System.nanoTime());
        System.out.println("virtio4j.seed=" + seed);
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            assertMeansTheSame(RandomFormerFile.text(random));
        }
    }

    private void assertMeansTheSame(String former) throws CommandFailure, IOException {
        Files.write(folder.resolve("disk2.img"), new byte[65_536]);
        Path old = write(former);
        String toml = FormerToToml.convert(old);
        Path converted = Files.writeString(folder.resolve("vm.toml"), toml);
        ConfigFile before = ConfigFile.read(old);
        ConfigFile after = ConfigFile.read(converted);
        assertTrue(before.former(), former);
        assertFalse(after.former(), toml);
        assertEquals(contents(before), contents(after), toml);
        assertEquals(PlanText.of(MachineReader.read(old)), PlanText.of(MachineReader.read(converted)), toml);
        assertEquals(comments(former.replace("\ufeff", "")), comments(toml), toml);
    }

    private static List<Map<ConfigKey, Object>> contents(ConfigFile file) {
        List<Map<ConfigKey, Object>> contents = new ArrayList<>();
        for (MachineTables machine : file.machines()) {
            Stream.concat(Stream.of(machine.machine(), machine.iommu()), machine.devices().stream())
                    .map(ConfigSection::content).forEach(contents::add);
        }
        return contents;
    }

    private static List<String> comments(String text) {
        return text.lines().map(String::strip).filter(line -> line.startsWith("#")).toList();
    }

    @Test
    void shouldNotNeedTheFilesOfTheMachine() throws CommandFailure, IOException {
        Path file = write(IN_THE_GUIDE.replace("disk.img", "/nowhere/disk.img") + "read-only = yes\n");
        assertTrue(FormerToToml.convert(file).contains("file = \"/nowhere/disk.img\"\nread-only = true\n"));
    }

    @Test
    void shouldWriteControlCharactersInAWayThatTomlAllows() throws CommandFailure, IOException {
        Path file = write("# a\u0007bell\n" + IN_THE_GUIDE.replace("= run", "= r\u0007un"));
        String toml = FormerToToml.convert(file);
        assertTrue(toml.startsWith("# a\\u0007bell\n"), toml);
        assertTrue(toml.contains("folder = \"r\\u0007un\"\n"), toml);
        Path converted = Files.writeString(folder.resolve("vm.toml"), toml);
        assertEquals(folder.resolve("r\u0007un"), MachineReader.read(converted).getFirst().folder());
    }

    @Test
    void shouldSayThatAFileIsTomlAlready() throws CommandFailure, IOException {
        Path file = write(FormerToToml.convert(write(IN_THE_GUIDE)));
        assertEquals(file + ": expected the format before TOML, found TOML already", refusal(file));
    }

    @Test
    void shouldNameMistakes() throws IOException {
        Path former = write(IN_THE_GUIDE.replace("512", "512M"));
        assertEquals(former + ":4: memory: expected 1 to 1048576, found '512M'", refusal(former));
        Path senseless = write(IN_THE_GUIDE.replace("00:09.0", "00:08.0"));
        assertEquals(senseless + ":10: address: expected one function at 00:08.0, found [iommu] of line 6 there too",
                refusal(senseless));
        Path toml = write("[[machine]]\nfolder = run\n");
        assertEquals(toml + ":2:10: folder: expected text in quotes such as \"run\", found 'run'", refusal(toml));
        assertEquals(folder.resolve("none") + ": no such file", refusal(folder.resolve("none")));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("vm.conf"), text);
    }

    private static String refusal(Path file) {
        return String.valueOf(assertThrows(CommandFailure.class, () -> FormerToToml.convert(file)).getMessage());
    }
}
