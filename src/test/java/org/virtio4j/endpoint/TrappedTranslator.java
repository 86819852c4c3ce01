// SPDX-License-Identifier: Apache-2.0
package org.virtio4j.endpoint;

import org.jspecify.annotations.Nullable;
import org.virtio4j.dma.translate.ExtentSink;
import org.virtio4j.dma.translate.TranslateResult;
import org.virtio4j.dma.translate.TranslationCaches;
import org.virtio4j.dma.translate.Translator;
import org.virtio4j.vmm.Access;
import org.virtio4j.vmm.grace.ReaderSlot;

/** A translator of an embedder's own, which asks another one; it caches nothing, so that it is asked often. */
record TrappedTranslator(Translator real, CallbackTrap trap) implements Translator {

    @Override
    public TranslateResult translate(long iova, Access access, ExtentSink out) {
        TranslateResult result = real.translate(iova, access, out);
        trap.pass(Callback.TRANSLATE);
        return result;
    }

    @Override
    public long generation() {
        trap.pass(Callback.TRANSLATOR_GENERATION);
        return real.generation();
    }

    @Override
    public @Nullable TranslationCaches caches() {
        trap.pass(Callback.TRANSLATOR_CACHES);
        return null;
    }

    @Override
    public void join(ReaderSlot slot) {
        real.join(slot);
        trap.pass(Callback.TRANSLATOR_JOIN);
    }

    @Override
    public void part(ReaderSlot slot) {
        real.part(slot);
        trap.pass(Callback.TRANSLATOR_PART);
    }

    @Override
    public void faulted(TranslateResult reason, long iova, Access access) {
        trap.pass(Callback.TRANSLATOR_FAULTED);
        real.faulted(reason, iova, access);
    }
}
