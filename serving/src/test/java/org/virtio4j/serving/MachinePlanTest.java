// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.serving;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.virtio4j.command.CommandFailure;
import org.virtio4j.endpoint.VirtioEntropy;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.ReservedRegions;
import org.virtio4j.machine.PciAddress;
import org.virtio4j.serving.config.MachineReader;
import org.virtio4j.serving.plan.DevicePlan;
import org.virtio4j.serving.plan.IommuPlan;
import org.virtio4j.serving.plan.MachinePlan;
import org.virtio4j.serving.plan.MemoryPlan;
import org.virtio4j.wire.iommu.IommuConfig;

/** One plan, several machines. */
class MachinePlanTest {

    private static final String CONFIG = """
            [[machine]]
            folder = "run"
            [machine.iommu]
            address = "00:08.0"
            probe-size = 1024
            [[machine.rng]]
            address = "00:09.0"
            [[machine.disk]]
            address = "00:0a.0"
            file = "disk.img"
            """;
    private static final MachinePlan ENTROPY_ALONE = new MachinePlan("vm", Path.of("unused"), MemoryPlan.of(4),
            IommuPlan.at(PciAddress.of("00:08.0")).withSettings(iommu -> iommu.probeSize(1024).linger(Duration.ZERO)),
            List.of(new DevicePlan("rng", PciAddress.of("00:09.0"), true, ReservedRegions.X86_MSI,
                    VirtioEntropy::new)));

    @TempDir
    private Path folder;

    @BeforeEach
    void makeDisk() throws IOException {
        Files.write(folder.resolve("disk.img"), new byte[4096]);
    }

    @Test
    void shouldBeServedOneTimeAfterTheOther() throws IOException, CommandFailure {
        MachinePlan plan = MachineReader.read(Files.writeString(folder.resolve("vm.toml"), CONFIG)).getFirst();
        VirtioIommu first = serveAndClose(plan);
        VirtioIommu second = serveAndClose(plan);
        assertNotSame(first, second);
        assertFalse(Files.exists(folder.resolve("run")));
    }

    private VirtioIommu serveAndClose(MachinePlan plan) throws IOException {
        try (ServedMachine machine = ServedMachine.serve(plan)) {
            assertServes(machine, folder.resolve("run"), List.of("iommu", "rng-09.0", "disk-0a.0"));
            return machine.iommu();
        }
    }

    @Test
    void shouldBeServedInTwoFoldersAtATime() throws IOException {
        Path one = folder.resolve("one");
        Path other = folder.resolve("other");
        try (ServedMachine first = ServedMachine.serve(ENTROPY_ALONE.withFolder(one));
                ServedMachine second = ServedMachine.serve(ENTROPY_ALONE.withFolder(other))) {
            assertServes(first, one, List.of("iommu", "rng"));
            assertServes(second, other, List.of("iommu", "rng"));
            assertNotSame(first.iommu(), second.iommu());
        }
    }

    @Test
    void shouldIntroduceAFollowerToTheIommuOfEachMachine() throws IOException {
        List<VirtioIommu> begun = new ArrayList<>();
        IommuFollower follower = new IommuFollower(new Silent(), (iommu, endpoints) -> {
            begun.add(iommu);
            assertEquals(ReservedRegions.X86_MSI, endpoints.get(PciAddress.of("00:09.0").bdf()));
        });
        for (int i = 0; i < 2; i++) {
            try (ServedMachine machine = ServedMachine.serve(ENTROPY_ALONE.withFolder(folder.resolve("run")),
                    follower)) {
                assertEquals(machine.iommu(), begun.get(i));
            }
        }
    }

    private static void assertServes(ServedMachine machine, Path folder, List<String> names) {
        assertEquals(names.size(), machine.functionCount());
        names.forEach(name -> assertTrue(Files.exists(folder.resolve(name + ".sock")), name));
        assertEquals(1024, machine.iommu().readConfig((int) IommuConfig.PROBE_SIZE, Integer.BYTES));
    }

    /** Needs to hear of nothing. */
    private static final class Silent implements IommuListener {
    }
}
