// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.iommu;

import java.util.function.Function;
import org.virtio4j.dma.DmaHandle;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;

/**
 * What became of one address: the guest-physical address it means and the extent it lies in, or why it means nothing,
 * with all else 0.
 */
record Seen(TranslateResult result, long physical, long virtStart, long virtEnd, int permitted) {

    static Seen refused(TranslateResult result) {
        return new Seen(result, 0, 0, 0, 0);
    }

    static Seen at(long physical, long virtStart, long virtEnd, int permitted) {
        return new Seen(TranslateResult.OK, physical, virtStart, virtEnd, permitted);
    }

    /** Everything means itself and everything is allowed. */
    static Seen identity(long iova) {
        return at(iova, 0, -1, Spec.READ_WRITE);
    }

    static Seen of(Translator translator, long iova, Access access) {
        return of(iova, out -> translator.translate(iova, access, out));
    }

    /** What a device finds through its own handle, in a section of its own. */
    static Seen of(DmaHandle handle, long iova, Access access) {
        handle.enter();
        Seen seen = of(iova, out -> handle.translate(iova, access, out));
        handle.leave();
        return seen;
    }

    private static Seen of(long iova, Function<ExtentSink, TranslateResult> translation) {
        long[] extent = new long[4];
        TranslateResult result = translation.apply((virtStart, virtEnd, physStart, permitted) -> {
            extent[0] = physStart + (iova - virtStart);
            extent[1] = virtStart;
            extent[2] = virtEnd;
            extent[3] = permitted;
        });
        return result == TranslateResult.OK
                ? at(extent[0], extent[1], extent[2], (int) extent[3])
                : refused(result);
    }

    @Override
    public String toString() {
        return result != TranslateResult.OK ? result.toString()
                : String.format("0x%x in [0x%x, 0x%x] %d", physical, virtStart, virtEnd, permitted);
    }
}
