// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.device.VirtioDevice;
import org.virtio4j.dma.DmaSpace;
import org.virtio4j.fixture.SilentDevice;
import org.virtio4j.mmio.VirtioMmioDevice;
import org.virtio4j.pci.PciInterrupts;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.FirstFailure;
import org.virtio4j.vmm.GuestMemory;
import org.virtio4j.vmm.ReaderCount;

class MachineTest {

    private static final PciAddress IOMMU = PciAddress.of("00:08.0");
    private static final PciAddress DISK = PciAddress.of("00:0a.0");
    private static final PciAddress RNG = PciAddress.of("00:09.0");

    private final List<String> resets = Collections.synchronizedList(new ArrayList<>());
    private final GuestMemory memory = GuestMemory.anonymous(0, 4096);
    private final Machine machine = new Machine(Topology.of(IommuScope.of(IOMMU, List.of(DISK, RNG))));

    @BeforeEach
    void addIommu() {
        machine.add(IOMMU, function("iommu"));
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void shouldResetWhatDoesDmaBeforeTheIommu() {
        machine.add(DISK, function("disk"));
        machine.add(RNG, function("rng"));
        machine.systemReset();
        assertEquals(List.of("rng SYSTEM", "disk SYSTEM", "iommu SYSTEM"), resets);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldResetAndCloseTheOthersWhenAFunctionThrows(boolean close) {
        RuntimeException first = new IllegalStateException("the source's");
        RuntimeException second = new IllegalArgumentException("the disk's");
        machine.add(RNG, function("rng", first));
        machine.add(DISK, function("disk", second));
        assertSame(first, assertThrows(RuntimeException.class, close ? machine::close : machine::systemReset));
        String kind = close ? " FUNCTION" : " SYSTEM";
        assertEquals(List.of("rng" + kind, "disk" + kind, "iommu" + kind), resets);
        assertEquals(List.of(second), List.of(first.getSuppressed()));
    }

    @Test
    void shouldRefuseAPlaceThatIsTaken() {
        machine.add(DISK, function("disk"));
        assertThrows(IllegalArgumentException.class, () -> machine.add(DISK, function("other")));
        assertThrows(IllegalArgumentException.class, () -> machine.add(IOMMU, function("other")));
    }

    @Test
    void shouldForgetWhatWasRemoved() {
        machine.add(DISK, function("disk"));
        machine.add(RNG, function("rng"));
        machine.remove(DISK);
        assertEquals(List.of("disk FUNCTION"), resets);
        machine.systemReset();
        assertEquals(List.of("disk FUNCTION", "rng SYSTEM", "iommu SYSTEM"), resets);
        assertThrows(IllegalArgumentException.class, () -> machine.remove(DISK));
        machine.add(DISK, function("second disk"));
        resets.clear();
        machine.systemReset();
        assertEquals(List.of("rng SYSTEM", "second disk SYSTEM", "iommu SYSTEM"), resets);
        machine.remove(IOMMU);
        assertThrows(IllegalArgumentException.class, () -> machine.remove(IOMMU));
    }

    @Test
    void shouldForgetWhatThrewWhenRemoved() {
        machine.add(DISK, function("disk", new IllegalStateException("the disk's")));
        assertThrows(IllegalStateException.class, () -> machine.remove(DISK));
        resets.clear();
        machine.systemReset();
        assertEquals(List.of("iommu SYSTEM"), resets);
    }

    @Test
    void shouldLetPartsComeAndGoDuringResets() throws InterruptedException {
        MmioBase place = new MmioBase(0xa000_0000L);
        Thread resetting = Thread.startVirtualThread(() -> {
            for (int i = 0; i < 500; i++) {
                machine.systemReset();
            }
        });
        for (int i = 0; i < 500; i++) {
            machine.add(place, window("rng"));
            machine.remove(place);
        }
        resetting.join();
        resets.clear();
        machine.systemReset();
        assertEquals(List.of("iommu SYSTEM"), resets);
    }

    @Test
    void shouldResetIommusAfterWindowsAndFunctionsOfAllSegments() {
        MmioBase iommuWindow = new MmioBase(0xa000_0000L);
        MmioBase diskWindow = new MmioBase(0xffff_ffff_a000_0200L);
        PciAddress far = PciAddress.of("0001:00:00.0");
        Machine both = new Machine(Topology.of(IommuScope.at(IOMMU).with(PciRange.ofSegment(1, 0)),
                IommuScope.at(iommuWindow).with(new MmioEndpoint(diskWindow, 1))));
        both.add(iommuWindow, window("second iommu"));
        both.add(diskWindow, window("disk"));
        both.add(IOMMU, function("first iommu"));
        both.add(far, function("far"));
        both.add(RNG, function("near"));
        both.systemReset();
        assertEquals(List.of("near SYSTEM", "far SYSTEM", "disk SYSTEM", "second iommu SYSTEM", "first iommu SYSTEM"),
                resets);
        both.close();
    }

    @Test
    void shouldResetAndCloseTheOthersWhenOneThrows() {
        int before = ReaderCount.of(memory.gracePeriods());
        machine.add(PciAddress.of("00:0b.0"), broken("other"));
        machine.add(RNG, broken("rng"));
        machine.add(DISK, function("disk"));
        IllegalStateException reset = assertThrows(IllegalStateException.class, machine::systemReset);
        assertEquals("rng", reset.getMessage());
        assertEquals("other", reset.getSuppressed()[0].getMessage());
        assertEquals(List.of("disk SYSTEM", "iommu SYSTEM"), resets);
        resets.clear();
        assertThrows(IllegalStateException.class, machine::close);
        assertEquals(List.of("disk FUNCTION", "iommu FUNCTION"), resets);
        // Each function has opened a way for its messages, the IOMMU's before the test began.
        assertEquals(before - 1, ReaderCount.of(memory.gracePeriods()));
    }

    private VirtioPciFunction broken(String name) {
        VirtioDevice cannotBeReset = new SilentDevice() {
            @Override
            public void reset(ResetKind kind) {
                throw new IllegalStateException(name);
            }
        };
        return VirtioPciFunction.of(cannotBeReset, DmaSpace.identity(memory), PciInterrupts.messages());
    }

    private VirtioPciFunction function(String name) {
        return function(name, null);
    }

    private VirtioPciFunction function(String name, @Nullable RuntimeException thrown) {
        return VirtioPciFunction.of(device(name, thrown), DmaSpace.identity(memory), PciInterrupts.messages());
    }

    private VirtioMmioDevice window(String name) {
        return VirtioMmioDevice.of(device(name, null), DmaSpace.identity(memory), level -> { });
    }

    private VirtioDevice device(String name, @Nullable RuntimeException thrown) {
        return new SilentDevice() {
            @Override
            public void reset(ResetKind kind) {
                resets.add(name + " " + kind);
                FirstFailure.throwIt(thrown);
            }
        };
    }
}
