// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.virtio4j.device.ResetKind;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.vmm.Access;

/** Section 5.13.4, device configuration layout. */
class ConfigLayoutTest extends IommuTests {

    @Test
    @DisplayName("5.13.4 rule 3: page_size_mask has the granule as its lowest bit")
    void shouldShowGranuleInPageSizeMask() {
        assertEquals(0x1000, read(start(), Spec.CONFIG_PAGE_SIZE_MASK, 8));
        assertThrows(IllegalArgumentException.class, () -> iommu().pageSizeMask(0));
        assertThrows(IllegalArgumentException.class, () -> iommu().pageSizeMask(0x1800));
    }

    @Test
    @DisplayName("5.13.4 rule 3: further bits are hints; only the lowest one is what must be aligned to")
    void shouldTakeMappingsOfTheGranuleWhenMaskHasMoreBits() {
        IommuMachine machine = start(iommu().pageSizeMask(0x4020_0000_0000_4000L));
        assertEquals(0x4020_0000_0000_4000L, read(machine, Spec.CONFIG_PAGE_SIZE_MASK, 8));
        machine.ok(Requests.attach(ONE, DISK));
        machine.ok(Requests.map(ONE, 0x4000, 0x7fff, 0x8000));
        assertEquals(Spec.RANGE, machine.status(Requests.map(ONE, 0x1_1000, 0x1_1fff, 0x8000)));
    }

    @Test
    @DisplayName("5.13.4: ranges and probe_size lie where the layout has them")
    void shouldShowRangesAndProbeSize() {
        IommuMachine machine = start(iommu().inputRange(0x1_0000, 0x7f_ffff_ffffL).domainRange(3, 0x8000_0001)
                .probeSize(0x128));
        assertEquals(0x1_0000, read(machine, Spec.CONFIG_INPUT_START, 8));
        assertEquals(0x7f_ffff_ffffL, read(machine, Spec.CONFIG_INPUT_END, 8));
        assertEquals(3, read(machine, Spec.CONFIG_DOMAIN_START, 4));
        assertEquals(0x8000_0001L, read(machine, Spec.CONFIG_DOMAIN_END, 4));
        assertEquals(0x128, read(machine, Spec.CONFIG_PROBE_SIZE, 4));
        assertEquals(0, read(machine, Spec.CONFIG_RESERVED, 1));
        assertEquals(0, read(machine, Spec.CONFIG_RESERVED + 1, 2));
        assertEquals(0, read(machine, Spec.CONFIG_SIZE, 4));
    }

    @Test
    @DisplayName("5.13.4, choice: everything is valid where no range is said or none is offered")
    void shouldShowWholeRangesWhenNoneIsOffered() {
        VirtioIommuBuilder limited = iommu().inputRange(0x1_0000, 0x1_ffff).domainRange(3, 4)
                .without(Spec.F_INPUT_RANGE).without(Spec.F_DOMAIN_RANGE);
        for (IommuMachine machine : new IommuMachine[] {start(), start(limited)}) {
            assertEquals(0, read(machine, Spec.CONFIG_INPUT_START, 8));
            assertEquals(-1, read(machine, Spec.CONFIG_INPUT_END, 8));
            assertEquals(0, read(machine, Spec.CONFIG_DOMAIN_START, 4));
            assertEquals(0xffff_ffffL, read(machine, Spec.CONFIG_DOMAIN_END, 4));
            machine.ok(Requests.attach(0, DISK));
            machine.ok(Requests.attach(-1, NIC));
            machine.ok(Requests.map(0, 0, -1, 0));
        }
    }

    @Test
    @DisplayName("5.13.4 rule 4: bypass starts with 1 for firmware, or with 0 where that is asked for")
    void shouldStartWithBypassAsBuilt() {
        assertEquals(1, powerOn(VirtioIommu.builder().endpoint(DISK)).bypass());
        assertEquals(0, powerOn(VirtioIommu.builder().endpoint(DISK).bootBypass(false)).bypass());
    }

    @Test
    @DisplayName("5.13.4 rule 5: bypass survives a device reset and a function reset")
    void shouldKeepBypassWhenDeviceIsReset() {
        for (int initial = 0; initial <= 1; initial++) {
            IommuMachine machine = start(iommu().bootBypass(initial == 1));
            machine.writeBypass(1 - initial);
            machine.resetDevice();
            assertEquals(1 - initial, machine.bypass());
            machine.reset(ResetKind.FUNCTION);
            assertEquals(1 - initial, machine.bypass());
        }
    }

    @Test
    @DisplayName("5.13.4 rule 5: bypass has its first value again after a system reset")
    void shouldRestoreBypassWhenSystemIsReset() {
        for (int initial = 0; initial <= 1; initial++) {
            IommuMachine machine = start(iommu().bootBypass(initial == 1));
            machine.writeBypass(1 - initial);
            machine.reset(ResetKind.SYSTEM);
            assertEquals(initial, machine.bypass());
            if (initial == 1) {
                assertIdentity(machine, DISK);
            } else {
                assertBlocked(machine, DISK);
            }
        }
    }

    @Test
    @DisplayName("2.5.1: the generation moves when a system reset changes bypass, and when it does not, it stays")
    void shouldMoveTheGenerationWhenBypassIsRestored() {
        for (int initial = 0; initial <= 1; initial++) {
            IommuMachine machine = start(iommu().bootBypass(initial == 1));
            machine.writeBypass(1 - initial);
            assertEquals(1 - initial, machine.bypass());
            int before = machine.transport().configGeneration();
            machine.reset(ResetKind.SYSTEM);
            assertEquals(initial, machine.bypass());
            int restored = machine.transport().configGeneration();
            assertNotEquals(before, restored);
            machine.reset(ResetKind.SYSTEM);
            assertEquals(initial, machine.bypass());
            assertEquals(restored, machine.transport().configGeneration(), "nothing has changed");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 0x80, 0xfe, 0xff})
    @DisplayName("5.13.4 rule 6: bypass shows 0 or 1 whatever was written; other values are ignored")
    void shouldShowNothingButZeroOrOne(int written) {
        IommuMachine machine = start();
        for (int before = 0; before <= 1; before++) {
            machine.writeBypass(before);
            assertEquals(before, machine.bypass());
            machine.writeBypass(written);
            assertEquals(before, machine.bypass());
            assertEquals(before == 1 ? Seen.identity(5) : Seen.refused(TranslateResult.NO_DOMAIN),
                    machine.see(DISK, 5, Access.READ));
        }
    }

    @Test
    @DisplayName("5.13.4: bypass is written by accesses of any width that cover it, and by no other")
    void shouldWriteBypassByAnyWidth() {
        IommuMachine machine = start();
        machine.transport().writeConfig(Spec.CONFIG_BYPASS, 4, 1);
        assertEquals(1, machine.bypass());
        machine.transport().writeConfig(Spec.CONFIG_BYPASS, 2, 0);
        assertEquals(0, machine.bypass());
        machine.transport().writeConfig(Spec.CONFIG_PROBE_SIZE, 8, 1L << 32);
        assertEquals(1, machine.bypass());
        machine.transport().writeConfig(Spec.CONFIG_RESERVED, 1, 0);
        machine.transport().writeConfig(Spec.CONFIG_PROBE_SIZE, 4, 0);
        assertEquals(1, machine.bypass());
        assertEquals(1, read(machine, Spec.CONFIG_BYPASS, 4));
        assertEquals(1L << 32 | 512, read(machine, Spec.CONFIG_PROBE_SIZE, 8));
    }

    @Test
    @DisplayName("5.13.4: no field but bypass can be written")
    void shouldIgnoreWritesWhenFieldIsNotBypass() {
        IommuMachine machine = start();
        long[] before = new long[Spec.CONFIG_SIZE / 4];
        for (int i = 0; i < before.length; i++) {
            before[i] = read(machine, 4 * i, 4);
            machine.transport().writeConfig(4L * i, 4, 0);
            machine.transport().writeConfig(4L * i, 1, 0xee);
            machine.transport().writeConfig(4L * i + 3, 1, 0xee);
            assertEquals(before[i], read(machine, 4 * i, 4));
        }
    }

    @Test
    @DisplayName("5.13.4, driver rule: bypass cannot be written unless BYPASS_CONFIG was negotiated")
    void shouldIgnoreBypassWhenFeatureWasNotNegotiated() {
        IommuMachine off = powerOn(iommu());
        off.writeBypass(1);
        assertEquals(0, off.bypass());
        off.start(off.offered().without(Spec.F_BYPASS_CONFIG));
        off.writeBypass(1);
        assertEquals(0, off.bypass());
        assertBlocked(off, DISK);
        IommuMachine without = start(iommu().bootBypass(true).without(Spec.F_BYPASS_CONFIG));
        without.writeBypass(1);
        assertEquals(0, without.bypass());
        assertBlocked(without, DISK);
    }

    @Test
    @DisplayName("5.13.4, choice: bypass can be written from FEATURES_OK on, and no more after a reset")
    void shouldTakeBypassBetweenFeaturesOkAndReset() {
        IommuMachine machine = powerOn(iommu());
        machine.startAfter(() -> machine.writeBypass(1));
        assertEquals(1, machine.bypass());
        assertIdentity(machine, DISK);
        machine.resetDevice();
        machine.writeBypass(0);
        assertEquals(1, machine.bypass());
    }

    private static long read(IommuMachine machine, int offset, int width) {
        return machine.transport().readConfig(offset, width);
    }
}
