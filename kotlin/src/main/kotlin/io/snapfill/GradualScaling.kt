package io.snapfill

import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.FlowCollector

/**
 * The steps of a fleet that is made larger as long as the target is well, as a [Flow]; collecting it makes them. It ends when the
 * goal is reached and the target still well, when nothing is left to be done, or when somebody else sent the workers away. Who stops
 * collecting leaves the workers as they are, and may collect again to go on.
 */
public class GradualScaling internal constructor(private val native: NativeGradualScaling) : Flow<GradualStep> {
    override suspend fun collect(collector: FlowCollector<GradualStep>) {
        while (true) collector.emit(asked { native.next() } ?: break)
    }
}
