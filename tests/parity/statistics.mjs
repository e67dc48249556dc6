/** Recomputes everything in a `statistics*.json` from its inputs, in the same structure. */
import {
  cca,
  cka,
  computeEffectiveRanks,
  debiasedCka,
  gini,
  procrustes,
  pwcca,
  rsa,
  svcca,
} from '@grok/metrics';
import {
  effectSizes,
  holm,
  kaplanMeier,
  logRank,
  mean,
  median,
  medianTime,
  pairedT,
  power,
  restrictedMean,
  sd,
  seedsNeeded,
  survivalAt,
  wilcoxon,
} from '@grok/study';

const SECTIONS = {
  paired: (pairs) => pairs.map(ofPair),
  holm: ({ p }) => ({ p, adjusted: holm(p) }),
  power: (claims) => claims.map((of) => ({ ...of, power: power(of.d, of.n, of.alpha) })),
  needed: (claims) => claims.map((of) => ({ ...of, n: seedsNeeded(of.d, of.power, of.alpha) })),
  survival: (cases) => cases.map(ofSurvival),
  similarity: ofMatrices,
  gini: ({ x }) => ({ x, value: gini(x) }),
};

/** @type {(file: object) => object} Unknown sections are omitted. */
export function statistics(file) {
  const known = Object.entries(SECTIONS).filter(([name]) => name in file);
  return Object.fromEntries(known.map(([name, compute]) => [name, compute(file[name])]));
}

function ofPair({ a, b }) {
  const { t, df, p, interval } = pairedT(a, b);
  const signed = wilcoxon(a, b);
  const sizes = effectSizes(a, b);
  return {
    ...{ a, b, t, df, p_t: p, ci95: interval },
    wilcoxon_W: signed.w,
    p_wilcoxon_exact: signed.p,
    cohen_dz: sizes.dz,
    cohen_dav: sizes.dav,
    hedges_correction: sizes.hedges,
    rank_biserial: sizes.rankBiserial,
    ...{ mean_a: mean(a), sd_a: sd(a), median_a: median(a) },
    ...{ mean_b: mean(b), sd_b: sd(b), median_b: median(b) },
  };
}

/** Names such as `km_at_120_a` and `rmst_150_b` contain the epoch. */
function ofSurvival(given) {
  const { horizon, times_a, observed_a, times_b, observed_b } = given;
  const group = (times, observed) => times.map((time, i) => ({ time, observed: !!observed[i] }));
  const [a, b] = [group(times_a, observed_a), group(times_b, observed_b)];
  const curves = { a: kaplanMeier(a), b: kaplanMeier(b) };
  const { chiSquare, p } = logRank(a, b);
  const found = {
    ...{ horizon, times_a, observed_a, times_b, observed_b },
    ...{ logrank_chi2: chiSquare, logrank_p: p },
  };
  for (const key of Object.keys(given)) {
    const [, what, time, name] = /^(km_median|km_at|rmst)_(?:(\d+)_)?([ab])$/.exec(key) ?? [];
    if (what === 'km_median') found[key] = medianTime(curves[name]);
    if (what === 'km_at') found[key] = survivalAt(curves[name], Number(time));
    if (what === 'rmst') found[key] = restrictedMean(curves[name], Number(time));
  }
  return found;
}

function ofMatrices({ X, Y, svcca_variance }) {
  const rho = cca(X, Y);
  const { kept, mean: svccaMean } = svcca(X, Y, svcca_variance);
  const ranks = computeEffectiveRanks(X);
  return {
    ...{ X, Y, svcca_variance },
    cka_linear_biased: cka(X, Y),
    cka_linear_debiased: debiasedCka(X, Y),
    cca_rho: [...rho],
    cca_mean: mean([...rho]),
    svcca_kept: kept,
    svcca_mean: svccaMean,
    pwcca_X_to_Y: pwcca(X, Y),
    procrustes_squared_distance_unit_norm: procrustes(X, Y),
    rsa_spearman_1_minus_pearson: rsa(X, Y),
    rank_participation_singular_values_centred: ranks.participation,
    rank_participation_squared_centred: ranks.participationOfSquares,
    rank_roy_vetterli_centred: ranks.royVetterli,
    rank_entropy_of_squares_centred: ranks.entropyOfSquares,
    rank_as_published_uncentred_cut_1pct: ranks.asPublished,
  };
}
