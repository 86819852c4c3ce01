// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.virtio4j.iommu.VirtioIommu;
import org.virtio4j.iommu.embedder.MappingListener.Answer;

/** The guide's mapping listener. */
class QuotaTest {

    @Test
    void shouldGrantWhatIsMappedUpToItsLimit() {
        List<Long> granted = new ArrayList<>();
        Quota quota = new Quota(0x3000, granted::add);
        try (VirtioIommu iommu = VirtioIommu.builder().endpoint(8).build()) {
            assertTrue(Quota.join(iommu, quota, 8));
            assertEquals(Answer.DONE, quota.attach(8, 1, false));
            assertEquals(Answer.UNSUPPORTED, quota.attach(8, 1, true));
            assertEquals(Answer.DONE, quota.map(1, 0x1000, 0x2fff, 0x8000, 3));
            assertEquals(Answer.NO_ROOM, quota.map(1, 0x4000, 0x5fff, 0x8000, 3));
            assertEquals(Answer.DONE, quota.commit(1));
            assertEquals(Answer.DONE, quota.unmap(1, 0, -1));
            quota.detached(8, 1);
            assertEquals(List.of(0x2000L, 0L), granted);
        }
    }
}
