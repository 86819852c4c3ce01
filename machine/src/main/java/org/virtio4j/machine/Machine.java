// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.machine;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.virtio4j.device.ResetKind;
import org.virtio4j.pci.VirtioPciFunction;
import org.virtio4j.vmm.FirstFailure;

/**
 * The PCI functions of one guest: an IOMMU, those that are behind it, and those that are not. It is put together before
 * the guest runs, by one thread; any thread may reset it.
 */
public final class Machine implements AutoCloseable {

    private final PciAddress iommuAddress;
    private final VirtioPciFunction iommu;
    private final Map<PciAddress, VirtioPciFunction> endpoints = new TreeMap<>();
    private final Map<PciAddress, VirtioPciFunction> others = new TreeMap<>();

    /** Two resets at once would each see half of the other's work. */
    private final ReentrantLock resetting = new ReentrantLock();

    /**
     * Begins a machine.
     *
     * @param address of its IOMMU
     * @param iommu   the function in front of the IOMMU
     */
    public Machine(PciAddress address, VirtioPciFunction iommu) {
        this.iommuAddress = address;
        this.iommu = iommu;
    }

    /**
     * Puts a function behind the IOMMU.
     *
     * @param address  of the function; its BDF is the endpoint's identifier
     * @param function the function, whose DMA goes through that endpoint's translator
     * @throws IllegalArgumentException if another function has this address
     */
    public void endpoint(PciAddress address, VirtioPciFunction function) {
        requireFree(address);
        endpoints.put(address, function);
    }

    /**
     * Adds a function that is not behind the IOMMU.
     *
     * @param address  of the function
     * @param function the function, whose DMA addresses are guest-physical
     * @throws IllegalArgumentException if another function has this address
     */
    public void other(PciAddress address, VirtioPciFunction function) {
        requireFree(address);
        others.put(address, function);
    }

    /**
     * Does what the machine's reset line does. All functions that do DMA stop before the IOMMU drops its domains, so
     * that no endpoint needs to be blocked meanwhile. A reset that takes longer than a second, because a host's file
     * hangs, is finished later; the function reaches no memory any more. What a device throws comes out when all others
     * were reset.
     */
    public void systemReset() {
        resetting.lock();
        try {
            forEach(function -> function.reset(ResetKind.SYSTEM));
        } finally {
            resetting.unlock();
        }
    }

    /**
     * Ends all functions, those that do DMA before the IOMMU's. The embedder closes their devices after this. What a
     * device throws comes out when all others were closed.
     */
    @Override
    public void close() {
        resetting.lock();
        try {
            forEach(VirtioPciFunction::close);
        } finally {
            resetting.unlock();
        }
    }

    /**
     * The table that tells the guest which functions are behind the IOMMU.
     *
     * @return the bytes of {@link ViotTable#body}
     */
    public byte[] viot() {
        return ViotTable.body(iommuAddress, endpoints.keySet());
    }

    /** The IOMMU comes last. What one function throws comes out when all have had their turn. */
    private void forEach(Consumer<VirtioPciFunction> action) {
        FirstFailure failure = new FirstFailure();
        others.values().forEach(function -> failure.run(() -> action.accept(function)));
        endpoints.values().forEach(function -> failure.run(() -> action.accept(function)));
        failure.run(() -> action.accept(iommu));
        failure.rethrow();
    }

    private void requireFree(PciAddress address) {
        if (address.equals(iommuAddress) || endpoints.containsKey(address) || others.containsKey(address)) {
            throw new IllegalArgumentException("address=" + address + ": another function lies there");
        }
    }
}
