// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.machine.EndpointId;
import org.virtio4j.machine.IommuScope;
import org.virtio4j.machine.Location;
import org.virtio4j.machine.MmioBase;
import org.virtio4j.machine.MmioEndpoint;
import org.virtio4j.machine.MmioWindow;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.machine.PciRange;
import org.virtio4j.machine.Topology;
import org.virtio4j.machine.acpi.MmioDeviceTable;
import org.virtio4j.machine.acpi.ViotTable;

/** What iasl, the compiler of the ACPI project, reads in our tables. */
class AcpiCompilerTest {

    private static final int HEADER = 36;
    private static final Pattern FIELD = Pattern.compile("\\[[0-9A-F]+h \\d+ +[0-9A-F]+h?] *(.*?) : ([0-9A-F]+).*");

    private static final PciAddress ON_PCI = PciAddress.of("00:08.0");
    private static final MmioBase ON_MMIO = new MmioBase(0x1_feb0_0000L);
    private static final MmioBase DISK = new MmioBase(0xfeb0_0200L);
    private static final MmioBase ENTROPY = new MmioBase(-0x200);

    /** One machine with two segments, two IOMMUs, and endpoints on PCI and MMIO. */
    private static final Topology TOPOLOGY = Topology.of(
            IommuScope.at(ON_PCI).with(PciRange.ofSegment(0, 0)).with(new MmioEndpoint(DISK, 0x1_0000)),
            IommuScope.at(ON_MMIO).with(new PciRange(1, 0x100, 0x1ff, 0x4000_0000))
                    .with(new MmioEndpoint(ENTROPY, -1)));

    private final Compilers compilers = Compilers.fetched();

    @TempDir
    private Path folder;

    @Test
    void shouldReadTheEndpointsOfAViot() throws IOException {
        byte[] table = ViotTable.table(TOPOLOGY);
        String text = disassembled("viot", table);
        assertArrayEquals(tail(table), tail(compiled("viot")), text);
        List<Map<String, Long>> nodes = nodes(text);
        assertEquals(2 + 2 + 2, nodes.size());
        for (Location device : List.of(PciAddress.of("00:00.0"), ON_PCI, PciAddress.of("ff:1f.7"), DISK, ENTROPY,
                ON_MMIO, PciAddress.of("0001:00:1f.7"), PciAddress.of("0001:01:00.0"), PciAddress.of("0001:01:1f.7"),
                PciAddress.of("0001:02:00.0"), PciAddress.of("0002:01:00.0"))) {
            assertEquals(TOPOLOGY.endpoint(device), endpoint(nodes, device), device.toString());
        }
    }

    @Test
    void shouldReadDevicesOverMmio() throws IOException {
        byte[] table = MmioDeviceTable.table(List.of(new MmioWindow(DISK, 0x200, 5),
                new MmioWindow(ON_MMIO, 0x1000, 300), new MmioWindow(ENTROPY, 0x200, 70_000)));
        String text = disassembled("ssdt", table);
        assertArrayEquals(tail(table), tail(compiled("ssdt")), text);
        for (String word : List.of("Scope (\\_SB)", "Device (V000)", "Device (V001)", "Device (V002)", "LNRO0005",
                "0xFEB00200,", "0x00000001FEB00000,", "0xFFFFFFFFFFFFFE00,", "0x0000012C,", "0x00011170,")) {
            assertTrue(text.contains(word), () -> word + " in " + text);
        }
    }

    private String disassembled(String name, byte[] table) throws IOException {
        Files.write(folder.resolve(name + ".aml"), table);
        compilers.run(folder, "iasl", "-d", name + ".aml");
        return Files.readString(folder.resolve(name + ".dsl"));
    }

    /** The table that comes out of the text again; the compiler puts its own name and sum into the header. */
    private byte[] compiled(String name) throws IOException {
        String said = compilers.run(folder, "iasl", "-p", "again-" + name, name + ".dsl");
        assertTrue(said.contains("0 Errors, 0 Warnings, 0 Remarks"), said);
        return Files.readAllBytes(folder.resolve("again-" + name + ".aml"));
    }

    private static byte[] tail(byte[] table) {
        return Arrays.copyOfRange(table, HEADER, table.length);
    }

    /** The fields of each node by the names that iasl gives them, and its offset. */
    private static List<Map<String, Long>> nodes(String text) {
        List<Map<String, Long>> nodes = new ArrayList<>();
        text.lines().map(FIELD::matcher).filter(Matcher::matches).forEach(field -> {
            if (field.group(1).equals("Type")) {
                nodes.add(new HashMap<>(Map.of("offset", Long.parseLong(field.group().substring(1, 4), 16))));
            }
            if (!nodes.isEmpty()) {
                nodes.getLast().putIfAbsent(field.group(1), Long.parseUnsignedLong(field.group(2), 16));
            }
        });
        return nodes;
    }

    private static Optional<EndpointId> endpoint(List<Map<String, Long>> nodes, Location device) {
        for (Map<String, Long> node : nodes) {
            Optional<Long> number = switch (device) {
                case PciAddress address -> inRange(node, address);
                case MmioBase base -> Optional.ofNullable(node.get("Endpoint"))
                        .filter(endpoint -> node.getOrDefault("Base address", 0L) == base.address());
            };
            if (number.isPresent()) {
                EndpointId found = new EndpointId(iommu(nodes, node.getOrDefault("Output node", -1L)),
                        number.get().intValue());
                return found.iommu().equals(device) ? Optional.empty() : Optional.of(found);
            }
        }
        return Optional.empty();
    }

    private static Optional<Long> inRange(Map<String, Long> node, PciAddress address) {
        return Optional.ofNullable(node.get("Endpoint start"))
                .filter(start -> node.getOrDefault("PCI Segment start", -1L) == address.segment()
                        && node.getOrDefault("PCI BDF start", -1L) <= address.bdf()
                        && address.bdf() <= node.getOrDefault("PCI BDF end", -1L))
                .map(start -> start + address.bdf() - node.getOrDefault("PCI BDF start", -1L));
    }

    private static Location iommu(List<Map<String, Long>> nodes, long offset) {
        Map<String, Long> node = nodes.stream().filter(each -> each.getOrDefault("offset", 0L) == offset).findFirst()
                .orElseThrow();
        Long bdf = node.get("PCI BDF number");
        return bdf == null ? new MmioBase(node.getOrDefault("Base address", 0L))
                : PciAddress.of(node.getOrDefault("PCI Segment", 0L).intValue(), bdf.intValue());
    }
}
