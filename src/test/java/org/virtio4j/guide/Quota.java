// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

// guide: begin
import java.util.function.LongConsumer;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.iommu.embedder.MappingListener.Answer;

/** Keeps what another process may reach as large as what the guest has mapped, and limits it. */
final class Quota implements MappingListener {

    private final LongConsumer grant;
    private final long most;
    private long bytes;

    Quota(long most, LongConsumer grant) {
        this.most = most;
        this.grant = grant;
    }

    static boolean join(VirtioIommu iommu, Quota quota, int endpoint) {
        return iommu.join(quota, endpoint) == Answer.DONE;      // told of everything that is mapped, or of nothing
    }

    @Override
    public Answer attach(int endpoint, int domain, boolean bypass) {
        return bypass ? Answer.UNSUPPORTED : Answer.DONE;       // the guest's ATTACH gets UNSUPP
    }

    @Override
    public void detached(int endpoint, int domain) {
        // With the last endpoint of a domain, all of its mappings were taken back before.
    }

    @Override
    public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        long size = virtEnd - virtStart + 1;
        if (bytes + size > most) {
            return Answer.NO_ROOM;                              // the guest's MAP gets NOMEM, and nothing has changed
        }
        bytes += size;
        return Answer.DONE;
    }

    @Override
    public Answer commit(int domain) {
        grant.accept(bytes);                                    // once for all MAPs of one kick
        return Answer.DONE;
    }

    @Override
    public Answer unmap(int domain, long virtStart, long virtEnd) {
        bytes = 0;                                              // a real one subtracts what lies inside the range
        grant.accept(bytes);
        return Answer.DONE;
    }
}
// guide: end
