/** Nothing in it is a word, or says anything. */
export const NONSENSE = [
  "asdfghjkl qwertyuiop",
  "xyzzy plugh frobozz",
  "zxcv",
  "the of and to with",
  "please can you do it for me",
  "!!! ??? ...",
  "",
  "blorptastic wugga fnord",
];

/** What no program does. The threshold is set with these ... */
export const OFF_TOPIC = [
  "why is the sky blue",
  "how do I tie my shoelaces",
  "do penguins have knees",
  "knit a sweater for my nephew",
  "which came first, the chicken or the egg",
  "who won the battle of Waterloo",
  "how many teaspoons are in a cup",
  "trim my beard",
  "sharpen the kitchen knives",
  "my shoes squeak when I walk on wooden floors",
  "water the plants on the balcony",
  "sing me a lullaby",
  "fold a paper crane",
  "is it rude to whistle indoors",
  "I cannot fall asleep without a pillow, what should I do",
  "teach my parrot to say hello",
  "get a coffee stain out of a white shirt",
  "what did the ancient Romans eat for breakfast",
  "iron my trousers and polish my boots before the wedding",
  "how long does a tortoise live",
];

/** ... and these tell whether it holds. */
export const OFF_TOPIC_HELD_BACK = [
  "bake a chocolate cake",
  "tell me a joke about elephants",
  "why do cats purr",
  "how do I get rid of hiccups",
  "unclog the sink",
  "plant tulips in the garden",
  "who painted the ceiling of the Sistine chapel",
  "mow the lawn on Saturday",
  "what rhymes with orange",
  "my grandmother's rocking chair creaks and I would like to mend it",
  "can a whale hear thunder",
  "braid my hair",
  "hang the curtains in the bedroom",
  "was Napoleon really short",
  "pick up the kids from kindergarten",
  "how do you carve a pumpkin without hurting your fingers",
  "change a flat bicycle tyre",
  "the neighbour's dog barks all night, how can I make it stop",
  "should toast be buttered on both sides",
  "climb a tree without ladders",
];
