// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.virtio4j.guestsuite.box.PassthroughProgram;
import org.virtio4j.harness.Box;
import org.virtio4j.machine.PciAddress;

/**
 * Devices of a host that a guest gets, by VFIO: in a box, which has an IOMMU and two devices. The box's IOMMU lets a
 * DMA through exactly where the guest's driver has mapped it.
 */
@GuestScenario
class PassthroughTest {

    private static final List<PciAddress> FUNCTIONS = List.of(PciAddress.of("00:05.0"), PciAddress.of("00:06.0"));

    /** Classes of all modules that the program needs, and of the libraries these need. */
    private static final List<String> ON_CLASS_PATH = List.of("org.agrona.collections.Int2ObjectHashMap",
            "org.virtio4j.dma.DmaSpace", "org.virtio4j.driver.iommu.IommuDriver", "org.virtio4j.iommu.VirtioIommu",
            "org.virtio4j.mmio.VirtioMmioDevice", "org.virtio4j.os.Errno", "org.virtio4j.device.VirtioDevice",
            "org.virtio4j.vfiohost.VfioMirror", "org.virtio4j.wire.iommu.MapRequest");

    private static final int LOCKED_KIBIBYTES = 16 << 10;
    private static final int MAPPINGS = 64;

    private static final String EXPECTED = """
            group/0000:00:05.0=1
            group/0000:00:06.0=2
            one/page=4096
            one/doorbell=ReservedRegion[start=4276092928, end=4277141503, kind=MSI]
            one/doorbell-usable=false
            one/join=DONE
            one/attach=0
            one/apart=2
            one/together=0
            one/copied=true
            one/copied-by-the-other=true
            one/locked=0
            map/1=0
            map/2=0
            rights/map=0
            rights/kept=true
            rights/read=true
            across/map=0
            across/copied=true
            unmapped/unmap=0
            unmapped/kept=true
            pinned/map=8
            pinned/why=ENOMEM
            pinned/undone=true
            pinned/map-less=0
            entries/made-all=true
            entries/why=ENOSPC
            entries/unmap=0
            entries/left=0 0 0
            expelled/copied=true
            expelled/unmap=3
            expelled/kept=true
            expelled/attach=2
            two/join=DONE DONE
            two/attach=0 0
            two/copied=true true
            two/map=0
            two/kept=true
            both/apart=false
            both/attach=0
            both/join=DONE
            both/copied=true
            both/left=0
            without/attach=0
            without/kept=true
            end/locked=0
            """;

    private static final Pattern FAULT = Pattern.compile(
            "DMAR: \\[DMA (Read|Write) NO_PASID\\] Request device \\[(\\S+)\\] fault addr (0x[0-9a-f]+)");

    @RegisterExtension
    private final GuestBooter guest = new GuestBooter();

    @Test
    void shouldLetDevicesReachWhatTheGuestMapped() throws Exception {
        Booted box = guest.bootBox(new Box.Program(PassthroughProgram.class.getName(),
                List.of("0000:00:05.0", "0000:00:06.0"), classPath(), FUNCTIONS, LOCKED_KIBIBYTES, MAPPINGS));
        box.assertDone();
        assertEquals(expected(), box.result().facts().all());
        assertEquals(List.of(
                "Write 00:05.0 0x200000", // only readable
                "Write 00:05.0 0x101000", // unmapped
                "Write 00:06.0 0x400000", // mapped for the other device
                "Read 00:05.0 0x100000", "Write 00:05.0 0x101000"), // mapped, without a mirror
                faults(box.lines()));
    }

    /** What the program says; statuses are those of the requests. */
    private static Map<String, String> expected() {
        Map<String, String> facts = new TreeMap<>();
        EXPECTED.lines().forEach(line -> facts.put(line.split("=", 2)[0], line.split("=", 2)[1]));
        return facts;
    }

    private static List<String> faults(List<String> lines) {
        return lines.stream().map(FAULT::matcher).filter(Matcher::find)
                .map(found -> found.group(1) + " " + found.group(2) + " " + found.group(3)).toList();
    }

    private static List<Path> classPath() throws Exception {
        Set<Path> path = new LinkedHashSet<>(List.of(place(PassthroughProgram.class)));
        for (String name : ON_CLASS_PATH) {
            path.add(place(Class.forName(name, false, PassthroughTest.class.getClassLoader())));
        }
        return List.copyOf(path);
    }

    private static Path place(Class<?> type) throws Exception {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI());
    }
}
