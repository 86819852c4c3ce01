// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.virtio4j.device.Features;
import org.virtio4j.device.ResetKind;
import org.virtio4j.iommu.embedder.IommuListener;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.ServedRequest;
import org.virtio4j.vmm.Access;

/** What an IOMMU's embedder hears, each method of which may throw; as a recorder hears it, or as any other observer. */
record TrappedListener(CallbackTrap trap, boolean recordsTraffic, Runnable whenExpelled)
        implements IommuListener, MappingListener {

    @Override
    public void unreservedDoorbell(int endpoint, long virtStart, long physStart) {
        trap.pass(Callback.LISTENER_DOORBELL);
    }

    @Override
    public void negotiated(Features accepted) {
        trap.pass(Callback.LISTENER_NEGOTIATED);
    }

    @Override
    public void activated(int requestQueueSize, int eventQueueSize) {
        trap.pass(Callback.LISTENER_ACTIVATED);
    }

    @Override
    public void reset(ResetKind kind) {
        trap.pass(Callback.LISTENER_RESET);
    }

    @Override
    public void bypassWritten(boolean on) {
        trap.pass(Callback.LISTENER_BYPASS_WRITTEN);
    }

    @Override
    public void served(ServedRequest request) {
        trap.pass(Callback.LISTENER_SERVED);
    }

    @Override
    public void batchPublished(int requests) {
        trap.pass(Callback.LISTENER_BATCH);
    }

    @Override
    public void stalled(String holder, long waitedNanos) {
        trap.pass(Callback.LISTENER_STALLED);
    }

    @Override
    public void kicked() {
        trap.pass(Callback.LISTENER_KICKED);
    }

    @Override
    public void faulted(int endpoint, long iova, Access access) {
        trap.pass(Callback.LISTENER_FAULTED);
    }

    @Override
    public void reported(int reason, int flags, int endpoint, long address) {
        trap.pass(Callback.LISTENER_REPORTED);
    }

    @Override
    public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        trap.pass(Callback.MAPPING_MAP);
        return Answer.DONE;
    }

    @Override
    public void begin(int domain) {
        trap.pass(Callback.MAPPING_BEGIN);
    }

    @Override
    public Answer commit(int domain) {
        trap.pass(Callback.MAPPING_COMMIT);
        return Answer.DONE;
    }

    @Override
    public void expelled() {
        whenExpelled.run();
    }

    @Override
    public Answer unmap(int domain, long virtStart, long virtEnd) {
        trap.pass(Callback.MAPPING_UNMAP);
        return Answer.DONE;
    }

    @Override
    public Answer attach(int endpoint, int domain, boolean bypass) {
        trap.pass(Callback.MAPPING_ATTACH);
        return Answer.DONE;
    }

    @Override
    public void detached(int endpoint, int domain) {
        trap.pass(Callback.MAPPING_DETACHED);
    }
}
