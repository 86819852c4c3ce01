// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.endpoint.VirtioBlock;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.ReservedRegion;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.Idling;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.wire.iommu.IommuConfig;
import org.virtio4j.wire.iommu.IommuFeature;

/** What a configuration means, and what is said to one that means nothing. */
class MachineReaderTest {

    private static final String WHOLE = """
            [[machine]]
            name = "vm"
            folder = "run"
            [machine.iommu]
            address = "00:08.0"
            [[machine.rng]]
            address = "00:09.0"
            """;

    private static final String DISK = """
            [[machine.disk]]
            address = "00:0a.0"
            file = "disk.img"
            """;

    private static final String EVERY_KEY = """
            # All there is.
            [[machine]]
            name = "big"
            folder = "/run/big"
            memory = 2_048
            memory-file = 'ram'
            sealed-memory = true

              [ machine . iommu ]
            address="0:8.0"
            page-sizes = ["4K", "2M", "1G"] # smallest first
            input-range = "1000-7fffffffff"
            domain-range = "1-65535"
            probe-size = 0x400
            bypass = false
            bypass-after-reset = true
            request-queue = 1024
            event-queue = 128
            max-mappings = 1000
            max-mappings-per-domain = 600
            max-domains = 3
            linger = 0
            reserved = [
              "msi:fee00000-feefffff", # interrupts
              "reserved:0-fff",
            ]
            without = ["mmio", "bypass-config"]

            [[machine.disk]]
            address = "00:0a.0"
            iommu = true
            file = "disk.img"
            read-only = true
            queues = 4
            queue-size = 64
            block-size = 4096
            id = "serial number"
            reserved = []

            [[machine.rng]]
            address = "00:0b.0"
            iommu = false
            """;

    @TempDir
    private Path folder;

    @BeforeEach
    void makeDisk() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
    }

    @Test
    void shouldTakeSimpleMachine() throws CommandFailure, IOException {
        MachinePlan plan = read(WHOLE).getFirst();
        assertEquals("vm", plan.name());
        assertEquals(folder.resolve("run"), plan.folder());
        assertEquals(512, plan.memory().mebibytes());
        assertEquals(Optional.empty(), plan.memory().file());
        assertFalse(plan.memory().sealed());
        assertEquals(PciAddress.of("00:08.0"), plan.iommu().address());
        DevicePlan rng = plan.devices().getFirst();
        assertEquals("rng-09.0", rng.name());
        assertEquals(PciAddress.of("00:09.0"), rng.address());
        assertTrue(rng.translated());
        assertEquals(ReservedRegions.X86_MSI, rng.reserved());
    }

    @Test
    void shouldTakeEveryKey() throws CommandFailure, IOException {
        MachinePlan plan = read(EVERY_KEY).getFirst();
        assertEquals(2048, plan.memory().mebibytes());
        assertEquals(Optional.of(folder.resolve("ram")), plan.memory().file());
        assertTrue(plan.memory().sealed());
        assertHasEveryKey(plan.iommu().builder().build());
        DevicePlan disk = plan.devices().get(0);
        assertEquals("disk-0a.0", disk.name());
        assertEquals(ReservedRegions.NONE, disk.reserved());
        DevicePlan rng = plan.devices().get(1);
        assertFalse(rng.translated());
        assertEquals(List.of(ReservedRegion.Kind.MSI, ReservedRegion.Kind.RESERVED),
                rng.reserved().list().stream().map(ReservedRegion::kind).toList());
    }

    private static void assertHasEveryKey(VirtioIommu iommu) {
        assertEquals(0x4020_1000L, iommu.readConfig((int) IommuConfig.PAGE_SIZE_MASK, 8));
        assertEquals(0x1000, iommu.readConfig((int) IommuConfig.INPUT_START, 8));
        assertEquals(0x7f_ffff_ffffL, iommu.readConfig((int) IommuConfig.INPUT_END, 8));
        assertEquals(1, iommu.readConfig((int) IommuConfig.DOMAIN_START, 4));
        assertEquals(65535, iommu.readConfig((int) IommuConfig.DOMAIN_END, 4));
        assertEquals(1024, iommu.readConfig((int) IommuConfig.PROBE_SIZE, 4));
        assertEquals(0, iommu.readConfig((int) IommuConfig.BYPASS, 1));
        assertEquals(List.of(1024, 128), iommu.info().queueSizes());
        assertOffersAllBut(iommu, IommuFeature.MMIO, IommuFeature.BYPASS_CONFIG);
    }

    private static void assertOffersAllBut(VirtioIommu iommu, int... without) {
        for (int bit : without) {
            assertFalse(iommu.offered().has(bit));
        }
        assertTrue(iommu.offered().has(IommuFeature.PROBE));
    }

    @Test
    void shouldKnowDoorbellsByWhatHasThem() throws CommandFailure, IOException {
        Map<String, ReservedRegions> names = Map.of("msi:x86", ReservedRegions.X86_MSI,
                "msi:gicv2m", ReservedRegions.QEMU_VIRT_GICV2M, "msi:its", ReservedRegions.QEMU_VIRT_ITS);
        for (Map.Entry<String, ReservedRegions> name : names.entrySet()) {
            DevicePlan device = read(WHOLE + rng("reserved = [\"" + name.getKey() + "\"]")).getFirst()
                    .devices().getLast();
            assertEquals(name.getValue(), device.reserved());
        }
    }

    @Test
    void shouldNumberBusesInTheOrderOfRootPorts() throws CommandFailure, IOException {
        List<DevicePlan> devices = read(WHOLE + "[[machine.rng]]\naddress = \"00:12.0\"\nhot-plug = true\n"
                + "[[machine.rng]]\naddress = \"00:10.0\"\nhot-plug = true\n").getFirst().devices();
        assertEquals(List.of(PciAddress.of("00:09.0"), PciAddress.of("02:00.0"), PciAddress.of("01:00.0")),
                devices.stream().map(DevicePlan::address).toList());
        assertEquals(List.of(Optional.empty(), Optional.of(PciAddress.of("00:12.0")),
                Optional.of(PciAddress.of("00:10.0"))), devices.stream().map(DevicePlan::port).toList());
        assertEquals("rng-12.0", devices.get(1).name());
    }

    @Test
    void shouldPollNoDeviceUnlessToldTo() throws CommandFailure, IOException {
        MachinePlan plan = read(WHOLE).getFirst();
        assertEquals(Optional.empty(), plan.iommu().polling());
        assertEquals(Optional.empty(), plan.devices().getFirst().polling());
        assertFalse(plan.iommu().builder().build().isPolled());
        assertFalse(plan.devices().getFirst().maker().make().isPolled());
    }

    @Test
    void shouldPollEachDeviceInItsOwnWay() throws CommandFailure, IOException {
        MachinePlan plan = read(WHOLE.replace("\"00:08.0\"", "\"00:08.0\"\npoll = true\nidle = \"spin\"")
                .replace("\"00:09.0\"", "\"00:09.0\"\npoll = true\nidle = \"sleep\"") + DISK + "poll = true\n")
                .getFirst();
        assertTrue(plan.iommu().builder().build().isPolled());
        assertEquals(Optional.of(Idling.SPIN), plan.iommu().polling());
        assertEquals(List.of(Optional.of(Idling.SLEEP), Optional.of(Idling.BACKOFF)),
                plan.devices().stream().map(DevicePlan::polling).toList());
        for (DevicePlan device : plan.devices()) {
            VirtioDevice made = device.maker().make();
            assertTrue(made.isPolled());
            if (made instanceof VirtioBlock disk) {
                disk.close();
            }
        }
    }

    @Test
    void shouldTakeSeveralMachines() throws CommandFailure, IOException {
        List<MachinePlan> plans = read(WHOLE + WHOLE.replace("vm", "other").replace("run", "elsewhere"));
        assertEquals(List.of("vm", "other"), plans.stream().map(MachinePlan::name).toList());
    }

    @Test
    void shouldRefuseTwoMachinesInOnePlace() throws IOException {
        Path names = write(WHOLE + WHOLE);
        assertEquals(names + ":8:1: expected each machine vm once, found one on line 1 too", refusal(names));
        Path folders = write(WHOLE + WHOLE.replace("vm", "other"));
        assertEquals(folders + ":8:1: expected each folder " + folder + "/run once, found one on line 1 too",
                refusal(folders));
    }

    @Test
    void shouldRefuseDisksThatCannotBe() throws IOException {
        Path missing = write(WHOLE + DISK.replace("disk.img", "none.img"));
        assertEquals(missing + ":10:8: file: expected a file or block device to be the disk, found none: " + folder
                + "/none.img", refusal(missing));
        Path directory = write(WHOLE + DISK.replace("disk.img", "."));
        assertEquals(directory + ":10:8: file: expected a file or block device to be the disk, found something else: "
                + folder, refusal(directory));
        Path twice = write(WHOLE + DISK + DISK.replace("0a", "0b"));
        assertEquals(twice + ":11:1: expected each disk " + folder + "/disk.img once, found one on line 8 too",
                refusal(twice));
    }

    @Test
    void shouldRefuseTwoMachinesInOneFolderUnderTwoNames() throws IOException {
        Files.createDirectory(folder.resolve("run"));
        Files.createSymbolicLink(folder.resolve("link"), Path.of("run"));
        Path file = write(WHOLE + WHOLE.replace("vm", "other").replace("\"run\"", "\"link\""));
        assertEquals(file + ":8:1: expected each folder " + folder + "/link once, found one on line 1 too",
                refusal(file));
    }

    @Test
    void shouldRefuseMemoryThatCannotBe() throws IOException {
        Path directory = write(withMemory("."));
        assertEquals(directory + ":4:15: memory-file: expected a file, or none yet, found something else: " + folder,
                refusal(directory));
        Path nowhere = write(withMemory("none/ram"));
        assertEquals(nowhere + ":4:15: memory-file: expected a file in a folder that is there, found no folder "
                + folder + "/none", refusal(nowhere));
    }

    @Test
    void shouldRefuseMemoryThatIsSomethingElseToo() throws IOException {
        Path twice = write(withMemory("ram") + withMemory("./ram").replace("vm", "other").replace("run", "run2"));
        assertEquals(twice + ":9:1: expected each memory-file " + folder + "/ram once, found one on line 1 too",
                refusal(twice));
        Files.createSymbolicLink(folder.resolve("ram"), Path.of("disk.img"));
        Path disk = write(withMemory("ram") + DISK + "read-only = true\n");
        assertEquals(disk + ":11:8: file: expected a disk, found the memory-file of [[machine]] of line 1",
                refusal(disk));
    }

    @Test
    void shouldRefuseToWriteOverWhatItReads() throws IOException, CommandFailure {
        Files.createSymbolicLink(folder.resolve("link"), Path.of("disk.img"));
        Path file = write(withMemory("ram") + DISK);
        assertEquals(folder + "/link: expected a file that may be replaced, found the disk of line 9",
                refusal(file, folder.resolve("link")));
        assertEquals(folder + "/ram: expected a file that may be replaced, found the memory of the machine of line 1",
                refusal(file, folder.resolve("ram")));
        assertEquals(file + ": expected a file that may be replaced, found the configuration", refusal(file, file));
        assertEquals(1, MachineReader.read(file, folder.resolve("trace"), notice -> { }).size());
    }

    private static String withMemory(String file) {
        return WHOLE.replace("folder = \"run\"\n", "folder = \"run\"\nmemory-file = \"" + file + "\"\n");
    }

    @Test
    void shouldRefuseQueuesInWhichNoRequestFits() throws IOException {
        for (int entries : new int[] {1, 2}) {
            Path file = write(WHOLE + DISK + "queue-size = " + entries + "\n");
            assertEquals(file + ":11:14: queue-size: queueSize=" + entries + ", but a power of two from 4 to 32768 is "
                    + "needed: a request has three descriptors (header, data, status)", refusal(file));
        }
    }

    @Test
    void shouldTakeThreeWordsForALock() throws IOException, CommandFailure {
        for (String word : List.of("auto", "on", "off")) {
            read(WHOLE + DISK + "lock = \"" + word + "\"\n");
        }
        Path file = write(WHOLE + DISK + "lock = \"yes\"\n");
        assertEquals(file + ":11:8: lock: expected auto, on or off, found 'yes'", refusal(file));
    }

    @Test
    void shouldTakeBlockDevices() throws IOException, CommandFailure {
        Path device = Path.of("/dev/loop0");
        Assumptions.assumeTrue(Files.isReadable(device) && Files.isWritable(device), "no right to use " + device);
        assertEquals("disk-0a.0", read(WHOLE + DISK.replace("disk.img", device.toString())).getFirst()
                .devices().getLast().name());
    }

    @Test
    void shouldTakeRegionsThatDoNotCountBecauseNobodyIsBehind() throws CommandFailure, IOException {
        assertEquals(2, read(WHOLE + rng("iommu = false\nreserved = [\"reserved:0-ffffffffffffffff\"]"))
                .getFirst().devices().size());
    }

    @Test
    void shouldSkipByteOrderMark() throws CommandFailure, IOException {
        assertEquals("vm", read("\ufeff" + WHOLE).getFirst().name());
        Path inside = write(WHOLE + "\ufeff" + WHOLE);
        assertEquals(inside + ":8:1: expected no byte order mark except at the beginning of the file, found one",
                refusal(inside));
    }

    @Test
    void shouldShowWhatCannotBeSeen() throws IOException {
        Path spaces = write(WHOLE.replace("\"00:09.0\"", "\"00:09.0\u200b\""));
        assertEquals(spaces + ":7:11: address='00:09.0\\u200b': must be BUS:DEVICE.FUNCTION, hexadecimal, such as"
                + " 00:0a.0", refusal(spaces));
        Path controls = write(WHOLE.replace("00:09.0", "\\u001b[2J"));
        assertEquals(controls + ":7:11: address='\\u001b[2J': must be BUS:DEVICE.FUNCTION, hexadecimal, such as"
                + " 00:0a.0", refusal(controls));
    }

    @ParameterizedTest
    @ValueSource(strings = {"UTF-16LE", "UTF-16BE"})
    void shouldNameEncodingThatMarkGivesAway(String encoding) throws IOException {
        Path file = Files.writeString(folder.resolve("vm.toml"), "\ufeff" + WHOLE, Charset.forName(encoding));
        assertEquals(file + ": expected text in UTF-8, found UTF-16; save it as UTF-8", refusal(file));
    }

    @Test
    void shouldRefuseFilesThatAreNone() throws IOException {
        assertEquals(folder.resolve("none") + ": no such file", refusal(folder.resolve("none")));
        assertEquals(folder + ": expected a configuration, found a folder", refusal(folder));
        Path large = Files.write(folder.resolve("large"), new byte[(1 << 20) + 1]);
        assertEquals(large + ": expected a configuration, found a file of more than 1048576 bytes", refusal(large));
        Path empty = write("# nothing\n");
        assertEquals(empty + ": expected a table [[machine]], found none", refusal(empty));
        Path binary = Files.write(folder.resolve("binary"), new byte[] {'[', (byte) 0xff});
        assertEquals(binary + ": expected text in UTF-8, found something else", refusal(binary));
    }

    private static String rng(String keys) {
        return "[[machine.rng]]\naddress = \"00:0b.0\"\n" + keys + "\n";
    }

    private List<MachinePlan> read(String text) throws CommandFailure, IOException {
        return MachineReader.read(write(text));
    }

    private Path write(String text) throws IOException {
        return Files.writeString(folder.resolve("vm.toml"), text);
    }

    private static String refusal(Path file) {
        return refusal(file, null);
    }

    private static String refusal(Path file, @Nullable Path written) {
        CommandFailure failure = assertThrows(CommandFailure.class,
                () -> MachineReader.read(file, written, notice -> { }));
        return String.valueOf(failure.getMessage());
    }
}
