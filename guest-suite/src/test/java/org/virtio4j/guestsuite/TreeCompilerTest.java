// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.harness.fetch.Packages;
import org.virtio4j.harness.options.Architecture;
import org.virtio4j.harness.options.GuestOptions;
import org.virtio4j.harness.options.NotFetchedException;
import org.virtio4j.harness.options.Platform;
import org.virtio4j.harness.options.UnusableGuestException;
import org.virtio4j.harness.options.Workload;
import org.virtio4j.harness.qemu.Qemu;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.tree.DeviceTree;
import org.virtio4j.machine.tree.Protection;
import org.virtio4j.machine.tree.TopologyTree;
import org.virtio4j.machine.tree.TreeFormatException;
import org.virtio4j.machine.tree.TreeSettings;
import org.virtio4j.machine.tree.WindowNode;

/**
 * dtc and fdtoverlay read what this project writes, and make of the overlay and of its source what the edit makes. No
 * guest is booted.
 */
@Timeout(300)
class TreeCompilerTest {

    private static final PciAddress IOMMU = PciAddress.of("00:08.0");
    private static final MmioBase ARM_WINDOW = new MmioBase(0xa000000);
    private static final MmioBase RISCV_WINDOW = new MmioBase(0x10001000);
    private static final MmioBase FREE_WINDOW = new MmioBase(0xb000000);
    private static final int MIB = 1 << 20;

    /** A machine with two segments, an IOMMU on PCI, one over MMIO, and an MMIO device that has a node. */
    private static final String TWO_SEGMENTS = """
            /dts-v1/;
            / {
                #address-cells = <2>;
                #size-cells = <2>;
                interrupt-parent = <&plic>;
                plic: interrupt-controller { #interrupt-cells = <1>; interrupt-controller; };
                soc: soc {
                    #address-cells = <2>;
                    #size-cells = <2>;
                    compatible = "simple-bus";
                    ranges;
                    pci0: pci@30000000 { PCI reg = <0 0x30000000 0 0x10000000>; linux,pci-domain = <0>; };
                    pci1: pci@40000000 { PCI reg = <0 0x40000000 0 0x10000000>; linux,pci-domain = <1>; };
                    virtio@10001000 { compatible = "virtio,mmio"; reg = <0 0x10001000 0 0x1000>; interrupts = <1>; };
                };
            };
            """.replace("PCI", """
            compatible = "pci-host-ecam-generic"; device_type = "pci"; #address-cells = <3>; #size-cells = <2>;
            bus-range = <0 255>; ranges = <0x2000000 0 0x50000000 0 0x50000000 0 0x10000000>;""");

    private final Compilers compilers = Compilers.fetched();

    @TempDir
    private Path folder;

    static Stream<Arguments> boards() {
        return Stream.of(Arguments.of(Architecture.ARM64, "virt,gic-version=2"),
                Arguments.of(Architecture.ARM64, "virt,gic-version=3"),
                Arguments.of(Architecture.RISCV64, "virt"), Arguments.of(Architecture.RISCV64, "virt,aia=aplic-imsic"));
    }

    /** Also if QEMU says of an IOMMU of its own, in the same place or in another one. */
    @ParameterizedTest
    @MethodSource("boards")
    void shouldEditWhatQemuDumps(Architecture architecture, String machine) throws IOException, TreeFormatException {
        byte[] plain = dump(architecture, machine);
        Topology topology = topology(architecture);
        Path edited = write("edited", TopologyTree.edit(plain, topology, TreeSettings.DEFAULT));
        assertTrue(Files.size(edited) < MIB / 64, () -> "the tree has not shrunk");
        String source = sorted(edited);
        String text = source.replaceAll("(rng|kaslr)-seed = [^;]*;", "");
        for (String address : List.of("8", "3")) {
            byte[] other = dump(architecture, machine, "-device", "virtio-iommu-pci,addr=" + address);
            assertEquals(text, sorted(write("other", TopologyTree.edit(other, topology, TreeSettings.DEFAULT)))
                    .replaceAll("(rng|kaslr)-seed = [^;]*;", ""));
        }
        assertEquals(sorted(write("plain", plain)), sorted(write("again", DeviceTree.read(plain).write())));
        assertEquals(List.of(), warnings(edited));
    }

    /** The overlay and the edit say the same, phandles included. */
    @ParameterizedTest
    @MethodSource("boards")
    void shouldApplyOverlayToWhatQemuDumps(Architecture architecture, String machine)
            throws IOException, TreeFormatException {
        byte[] plain = dump(architecture, machine);
        Topology topology = topology(architecture);
        expectSame(write("base", plain), topology, settings(architecture), settings(architecture));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldApplyOverlayToTreeWithOrWithoutSymbols(boolean symbols) throws IOException, TreeFormatException {
        Path base = folder.resolve("base");
        Path source = Files.writeString(folder.resolve("source"), TWO_SEGMENTS);
        List<String> arguments = new ArrayList<>(symbols ? List.of("-@") : List.of());
        arguments.addAll(List.of("-q", "-I", "dts", "-O", "dtb", "-o", base.toString(), source.toString()));
        compilers.run(folder, "dtc", arguments.toArray(String[]::new));
        Topology topology = Topology.of(
                IommuScope.at(IOMMU).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(RISCV_WINDOW, 0x10000)),
                IommuScope.at(FREE_WINDOW).with(new PciRange(1, 0x100, 0x1ff, 0x4000_0000)));
        WindowNode window = WindowNode.of(FREE_WINDOW.address(), 0x200, 7);
        TreeSettings overlay = TreeSettings.DEFAULT.bridge(0, "/soc/pci@30000000").bridge(1, "/soc/pci@40000000")
                .node(RISCV_WINDOW, "/soc/virtio@10001000").window(window).windowsBelow("/soc", 2, 2);
        expectSame(base, topology, overlay, TreeSettings.DEFAULT.window(window));
        Path edited = folder.resolve("edited");
        String own = symbols ? "0x05" : "0x02";
        String other = symbols ? "0x06" : "0x03";
        assertEquals(List.of("iommu-map = <0x00 " + own + " 0x00 0x40 0x41 " + own + " 0x41 0xffbf>;",
                "iommu-map = <0x100 " + other + " 0x40000000 0x100>;", "iommus = <" + own + " 0x10000>;"),
                sorted(edited).lines().map(String::strip).filter(line -> line.startsWith("iommu")
                        && line.contains("=")).toList());
        assertEquals(List.of(), warnings(edited));
    }

    @Test
    void shouldApplyOverlayWithProtectedDevices() throws IOException, TreeFormatException {
        Path base = folder.resolve("base");
        compilers.run(folder, "dtc", "-q", "-I", "dts", "-O", "dtb", "-o", base.toString(),
                Files.writeString(folder.resolve("source"), TWO_SEGMENTS).toString());
        Topology topology = Topology.of(IommuScope.at(IOMMU).with(PciRange.ofSegment(0, 0)));
        TreeSettings overlay = TreeSettings.DEFAULT.bridge(0, "/soc/pci@30000000")
                .node(RISCV_WINDOW, "/soc/virtio@10001000");
        TreeSettings guarded = overlay.protect(PciAddress.of("00:0a.1"), RISCV_WINDOW);
        expectSame(base, topology, guarded, guarded);
        TreeSettings named = guarded.protection(new Protection.Property("acme,dma", Optional.of("a \"b\\")));
        expectSame(base, topology, named, named);
        TreeSettings stub = overlay.protect(RISCV_WINDOW).protection(new Protection.StubIommu("acme,stub"));
        expectSame(base, topology, stub, stub);
        assertEquals(List.of(), warnings(folder.resolve("edited")));
    }

    /** fdtoverlay makes of the overlay, and of its source, what the edit makes. */
    private void expectSame(Path base, Topology topology, TreeSettings overlay, TreeSettings edit)
            throws IOException, TreeFormatException {
        Path made = write("overlay", TopologyTree.overlay(topology, overlay));
        Path source = Files.writeString(folder.resolve("overlay-source"), TopologyTree.source(topology, overlay));
        Path compiled = folder.resolve("compiled");
        compilers.run(folder, "dtc", "-q", "-I", "dts", "-O", "dtb", "-o", compiled.toString(), source.toString());
        assertEquals(sorted(made), sorted(compiled));
        Path applied = folder.resolve("applied");
        compilers.run(folder, "fdtoverlay", "-i", base.toString(), "-o", applied.toString(), made.toString());
        assertEquals(sorted(applied),
                sorted(write("edited", TopologyTree.edit(Files.readAllBytes(base), topology, edit))));
    }

    private static Topology topology(Architecture architecture) {
        return Topology.of(IommuScope.at(IOMMU).with(PciRange.ofSegment(0, 0))
                .with(new MmioEndpoint(window(architecture), 0x10000)));
    }

    private static MmioBase window(Architecture architecture) {
        return architecture == Architecture.ARM64 ? ARM_WINDOW : RISCV_WINDOW;
    }

    private static TreeSettings settings(Architecture architecture) {
        return architecture == Architecture.ARM64
                ? TreeSettings.DEFAULT.bridge(0, "/pcie@10000000").node(ARM_WINDOW, "/virtio_mmio@a000000")
                : TreeSettings.DEFAULT.bridge(0, "/soc/pci@30000000")
                        .node(RISCV_WINDOW, "/soc/virtio_mmio@10001000");
    }

    /** The tree as text, with nodes and properties in the order of their names. */
    private String sorted(Path tree) throws IOException {
        return compilers.run(folder, "dtc", "-q", "-s", "-I", "dtb", "-O", "dts", tree.toString());
    }

    /** What dtc objects to in nodes that are made here. QEMU's own are full of what it objects to. */
    private List<String> warnings(Path tree) throws IOException {
        return compilers.run(folder, "dtc", "-I", "dtb", "-O", "null", tree.toString()).lines()
                .filter(Pattern.compile("iommu|/virtio@|/dev@").asPredicate()).collect(Collectors.toList());
    }

    private Path write(String name, byte[] content) throws IOException {
        return Files.write(folder.resolve(name), content);
    }

    private byte[] dump(Architecture architecture, String machine, String... devices) throws IOException {
        Path file = folder.resolve("dump");
        List<String> command = new ArrayList<>(qemu(architecture).command());
        command.addAll(List.of("-machine", machine + ",dumpdtb=" + file, "-smp", "2", "-m", "512", "-nodefaults",
                "-display", "none"));
        String processor = architecture.processor();
        if (processor != null) {
            command.addAll(List.of("-cpu", processor));
        }
        command.addAll(List.of(devices));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        process.getOutputStream().close();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        try {
            assertEquals(0, process.waitFor(), said);
        } catch (InterruptedException unexpected) {
            throw new IllegalStateException("unexpected interrupt of this thread", unexpected);
        }
        return Files.readAllBytes(file);
    }

    private static Qemu qemu(Architecture architecture) {
        try {
            return Qemu.find(GuestOptions.of(Workload.BOOT).withPlatform(Platform.of(architecture)),
                    new Packages(Path.of(System.getProperty("virtio4j.home", "..")).toAbsolutePath(), () -> false));
        } catch (NotFetchedException told) {
            return Assumptions.abort("neither found nor fetched: " + told.getMessage());
        } catch (UnusableGuestException unusable) {
            return Assumptions.abort(unusable.getMessage());
        }
    }
}
