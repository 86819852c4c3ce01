// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.provider.EnumSource;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.transport.TransportKind;
import org.virtio4j.vmm.Access;

/**
 * What the tests of the IOMMU have in common: they run over each transport, on machines that are taken down again. One
 * way of interrupting stands for all of PCI here; {@code org.virtio4j.transport} has the others.
 */
@ParameterizedClass
@EnumSource(names = {"MMIO", "PCI_MESSAGES"})
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class IommuTests {

    /** Endpoints of {@link #iommu}, and one that it does not have. */
    static final int DISK = 8;
    static final int NIC = 9;
    static final int NOBODY = 0x77;

    /** Domains; the device makes them as they are attached to. */
    static final int ONE = 1;
    static final int TWO = 2;

    private final List<IommuMachine> machines = new ArrayList<>();

    @Parameter
    TransportKind transport = TransportKind.MMIO;

    /** A small IOMMU with two endpoints, no bypass at boot, and all features. */
    static VirtioIommuBuilder iommu() {
        return VirtioIommu.builder().endpoint(DISK).endpoint(NIC).bootBypass(false).maxMappings(10_000);
    }

    /** A machine that is powered on; nobody has touched its IOMMU. */
    IommuMachine powerOn(VirtioIommuBuilder builder) {
        return keep(new IommuMachine(transport, builder.build()));
    }

    /** Takes it down when the test ends. */
    IommuMachine keep(IommuMachine machine) {
        machines.add(machine);
        return machine;
    }

    /** A machine whose driver has brought the IOMMU up. */
    IommuMachine start(VirtioIommuBuilder builder) {
        return powerOn(builder).start();
    }

    IommuMachine start() {
        return start(iommu());
    }

    @AfterEach
    void closeMachines() {
        machines.forEach(IommuMachine::close);
    }

    /** Both kinds of access reach the address, which lies in a mapping that allows both. */
    static void assertMapped(IommuMachine machine, int endpoint, long iova, long physical) {
        for (Access access : Access.values()) {
            Seen seen = machine.see(endpoint, iova, access);
            assertEquals("0x" + Long.toHexString(physical), seen.result() == TranslateResult.OK
                    ? "0x" + Long.toHexString(seen.physical()) : seen.toString());
        }
    }

    static void assertIdentity(IommuMachine machine, int endpoint) {
        for (Access access : Access.values()) {
            assertEquals(Seen.identity(0x1234), machine.see(endpoint, 0x1234, access));
            assertEquals(Seen.identity(-1), machine.see(endpoint, -1, access));
        }
    }

    static void assertRefused(IommuMachine machine, int endpoint, long iova, TranslateResult reason) {
        for (Access access : Access.values()) {
            assertEquals(Seen.refused(reason), machine.see(endpoint, iova, access));
        }
    }

    /** Attached to a domain that does not map the address. */
    static void assertUnmapped(IommuMachine machine, int endpoint, long iova) {
        assertRefused(machine, endpoint, iova, TranslateResult.NO_MAPPING);
    }

    /** Attached to nothing, and reaching nothing. */
    static void assertBlocked(IommuMachine machine, int endpoint) {
        assertRefused(machine, endpoint, 0x1234, TranslateResult.NO_DOMAIN);
        assertRefused(machine, endpoint, 0, TranslateResult.NO_DOMAIN);
        assertRefused(machine, endpoint, -1, TranslateResult.NO_DOMAIN);
    }
}
