// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guestsuite.box;

import org.virtio4j.iommu.embedder.MappingListener;
import org.virtio4j.vfiohost.VfioMirror;

/** A mirror that leaves everything mapped when it is told to, and says so. */
final class StubbornMirror implements MappingListener {

    private final VfioMirror mirror;
    private boolean stubborn;

    StubbornMirror(VfioMirror mirror) {
        this.mirror = mirror;
    }

    /** Refuses every unmap from now on. */
    void refuse() {
        stubborn = true;
    }

    @Override
    public boolean holdsOneDomain() {
        return mirror.holdsOneDomain();
    }

    @Override
    public long pageSizeMask() {
        return mirror.pageSizeMask();
    }

    @Override
    public Answer attach(int endpoint, int domain, boolean bypass) {
        return mirror.attach(endpoint, domain, bypass);
    }

    @Override
    public void detached(int endpoint, int domain) {
        mirror.detached(endpoint, domain);
    }

    @Override
    public Answer map(int domain, long virtStart, long virtEnd, long physStart, int flags) {
        return mirror.map(domain, virtStart, virtEnd, physStart, flags);
    }

    @Override
    public Answer unmap(int domain, long virtStart, long virtEnd) {
        return stubborn ? Answer.FAILED : mirror.unmap(domain, virtStart, virtEnd);
    }

    @Override
    public void expelled() {
        mirror.expelled();
    }
}
