import { stem } from "./stem.ts";

/** Words that say nothing about which tool is wanted: never searched for. */
const STOP =
  "a an the is and or but nor so yet if then else than as at by for from in into of off on onto out over to up upon with within without via per about above after again against all also although always am any anyone anything are around be because been before being below between both can cannot could did do does doing don done down during each either else every everyone everything etc few further get gets getting got had has have having he her here hers herself hey hi hello him himself his how however i its it itself just let lets like ll me might mine more most much must my myself neither no not now of okay ok once one ones only other others our ours ourselves own please quite rather really s same shall she should since some somebody someone something such t than thanks thank that their theirs them themselves there these they thing things this those through too under until us use used uses using ve very was we well were what whatever when where whether which while who whom whose why will would yes you your yours yourself yourselves actually maybe perhaps kind sort bit lot lots able already another doesn didn isn wasn aren won couldn wouldn shouldn im id ill ive";

/**
 * Words in which people wrap what they want. Searched for, but with little weight: a corpus of short descriptions knows
 * no better than that they are rare.
 */
const WRAPPING =
  "help assist assistance need want wants wanting look looking find recommend recommendation suggest suggestion tell give show provide know make sure try trying interested wondering curious learn understand good great best better new latest recent specific particular certain various different several many relevant information info detail detailed comprehensive including include based related available possible currently today tomorrow yesterday recently upcoming next last first second two three four five ten high low top main key important useful effective efficiently effectively easily quick quickly simple popular full complete total whole go going come take put keep start started work working ask question answer think feel see say said call called mean way ways part type kind example case time day week month year people friend family user tool app application service platform system plugin option idea advice tip guide experience improve overall ensure finding support supported concrete data verifiable source number evidence generalization real solid actual exactly really plan planning hope wish love enjoy nice world";

export function createWordLists(): { stop: ReadonlySet<string>; wrapping: ReadonlySet<string> } {
  return { stop: new Set(STOP.split(" ")), wrapping: new Set(WRAPPING.split(" ").map(stem)) };
}
